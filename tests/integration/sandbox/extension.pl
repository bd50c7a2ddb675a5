#!/usr/bin/perl
# An external extension in a few lines: it writes each event to /tmp/events and ends with the SHUTDOWN event.
use strict; use warnings; use IO::Socket::INET;
my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
sub ask {
    my ($method, $path, $headers, $body) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or die "no API: $!";
    print $s "$method /2020-01-01/extension/$path HTTP/1.1\r\nHost: $host:$port\r\nConnection: close\r\n$headers";
    print $s "Content-Length: " . length($body) . "\r\n\r\n$body";
    local $/; my $answer = <$s>;
    return split /\r\n\r\n/, $answer, 2;
}
my ($name) = $0 =~ m{([^/]+)$};
exit 3 if $name eq "ends";
my ($head) = ask("POST", "register", "Lambda-Extension-Name: $name\r\n", '{"events":["INVOKE","SHUTDOWN"]}');
my ($id) = $head =~ /Lambda-Extension-Identifier: (\S+)/i or die "not registered: $head";
while (1) {
    my (undef, $event) = ask("GET", "event/next", "Lambda-Extension-Identifier: $id\r\n", "");
    open(my $file, '>>', '/tmp/events') or die; print $file "$event\n"; close $file;
    last if $event =~ /SHUTDOWN/;
}
