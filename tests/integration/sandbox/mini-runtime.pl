#!/usr/bin/perl
# A runtime in a few lines: each event is a JSON string with Perl in it; what it evaluates to is the response.
use strict; use warnings; use IO::Socket::INET;
$| = 1;
my $base = "/2018-06-01/runtime";
my ($host, $port) = split /:/, $ENV{AWS_LAMBDA_RUNTIME_API};
sub ask {
    my ($method, $path, $body) = @_;
    my $s = IO::Socket::INET->new(PeerAddr => $host, PeerPort => $port) or die "no API: $!";
    my $length = defined $body ? "Content-Length: " . length($body) . "\r\n" : "";
    print $s "$method $path HTTP/1.1\r\nHost: $host:$port\r\nConnection: close\r\n$length\r\n" . ($body // "");
    local $/; my $answer = <$s>; my ($head, $data) = split /\r\n\r\n/, $answer, 2;
    return ($head, $data);
}
eval($ENV{INIT}) if $ENV{INIT};
our $count = 0;
while (1) {
    my ($head, $event) = ask("GET", "$base/invocation/next");
    my ($id) = $head =~ /Lambda-Runtime-Aws-Request-Id: (\S+)/i or die "no id: $head";
    $event =~ s/^"|"$//g; $event =~ s/\\(.)/$1/g;
    my $result = eval $event;
    ask("POST", "$base/invocation/$id/" . ($@ ? "error" : "response"), $@ ? "{\"errorMessage\":\"failed\",\"errorType\":\"Perl\"}" : $result // "null");
}
