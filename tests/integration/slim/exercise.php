<?php

declare(strict_types=1);

// Asks something of every extension that the images have; prints what did not work, as JSON: [] is all well.

error_reporting(E_ALL);
set_error_handler(function ($n, $m) { throw new ErrorException($m); });
$said = [];
$check = function (string $what, callable $does) use (&$said) {
    try { $got = $does(); } catch (Throwable $e) { $got = get_class($e) . ': ' . $e->getMessage(); }
    if ($got !== true) { $said[$what] = $got; }
};
$check('bcmath', fn () => bcpow('2', '100') === '1267650600228229401496703205376');
$check('collation', function () { $w = ['zebra', 'ärger', 'apfel']; (new Collator('de_DE'))->sort($w); return $w === ['apfel', 'ärger', 'zebra']; });
$check('numbers', fn () => (new NumberFormatter('hi_IN', NumberFormatter::SPELLOUT))->format(42) === 'बयालीस');
$check('transliterator', fn () => transliterator_transliterate('Any-Latin; Latin-ASCII', 'Привет') === 'Privet');
$check('zones', fn () => (new DateTime('2024-07-01 12:00', new DateTimeZone('America/Sao_Paulo')))->format('P T') === '-03:00 -03' && count(timezone_identifiers_list()) > 400);
foreach (['KOI8-R' => "\xf0", 'SHIFT_JIS' => "\x83\x6e", 'EUC-KR' => "\xc7\xd1", 'GB18030' => "\xba\xba", 'BIG5' => "\xba\x7e", 'IBM850' => "\x9b", 'CP1252' => "\x80", 'ISO-2022-JP' => "\x1b\$B4A\x1b(B", 'MACINTOSH' => "\x80", 'EUC-JP' => "\xb4\xc1", 'TIS-620' => "\xa1", 'WINDOWS-1258' => "\xd2"] as $set => $bytes) {
    $check("iconv $set", fn () => mb_strlen(iconv($set, 'UTF-8', $bytes)) === 1);
}
$check('iconv translit', fn () => iconv('UTF-8', 'ASCII//TRANSLIT', 'ä') !== false);
$check('mbstring', fn () => mb_convert_encoding("\x82\xa0", 'UTF-8', 'SJIS') === 'あ' && mb_ereg('あ', 'xあ'));
$check('curl', function () { $c = curl_init('https://127.0.0.1:1/'); curl_setopt($c, CURLOPT_RETURNTRANSFER, true); curl_exec($c); return curl_errno($c) === 7 && is_file(openssl_get_cert_locations()['default_cert_dir'] . '/ca-certificates.crt') && (curl_version()['features'] & CURL_VERSION_HTTP2) > 0 && in_array('https', curl_version()['protocols']); });
$check('openssl', function () { $k = openssl_pkey_new(['private_key_type' => OPENSSL_KEYTYPE_EC, 'curve_name' => 'prime256v1']); openssl_sign('x', $s, $k, 'sha256'); return openssl_verify('x', $s, openssl_pkey_get_details($k)['key'], 'sha256') === 1; });
$check('ca', fn () => strlen(file_get_contents('/opt/bref/ssl/cert.pem')) > 100000);
$check('sodium', fn () => sodium_crypto_secretbox_open(sodium_crypto_secretbox('a', $n = random_bytes(24), $k = random_bytes(32)), $n, $k) === 'a');
$check('password', fn () => password_verify('a', password_hash('a', PASSWORD_ARGON2ID)));
$check('pdo', fn () => PDO::getAvailableDrivers() === ['mysql', 'pgsql']);
foreach (['mysql:host=127.0.0.1;port=1' => '2002', 'pgsql:host=127.0.0.1;port=1' => '7'] as $dsn => $code) {
    $check($dsn, function () use ($dsn, $code) { try { new PDO($dsn); } catch (PDOException $e) { return (string) $e->getCode() === $code; } });
}
$check('mysqli', function () { try { new mysqli('127.0.0.1', 'a', 'b', 'c', 1); } catch (mysqli_sql_exception $e) { return $e->getCode() === 2002; } });
$check('soap', fn () => (new SoapClient(null, ['location' => 'http://127.0.0.1:1', 'uri' => 'a'])) instanceof SoapClient);
$check('xml', function () { $d = new DOMDocument(); $d->loadXML('<?xml version="1.0" encoding="KOI8-R"?><a>' . "\xf0" . '</a>'); return $d->documentElement->textContent === 'П' && simplexml_load_string('<a><b/></a>')->b->getName() === 'b'; });
$check('zip', function () { $z = new ZipArchive(); $z->open('/tmp/a.zip', ZipArchive::CREATE); $z->addFromString('a', 'b'); $z->close(); $z->open('/tmp/a.zip'); return $z->getFromName('a') === 'b'; });
$check('opcache', fn () => ini_get('opcache.file_cache_only') === '1' || opcache_get_status()['opcache_enabled']);
$check('names', fn () => gethostbyname('localhost') === '127.0.0.1');
$check('users', fn () => posix_getpwuid(0)['name'] === 'root');
$check('locale', fn () => setlocale(LC_ALL, 'en_US.UTF-8') === 'en_US.UTF-8' && setlocale(LC_ALL, 'C.UTF-8') === 'C.UTF-8');
$check('tools', fn () => trim(shell_exec('printf "b\na\n" | sort | head -n 1 | tr a-z A-Z')) === 'A');
echo json_encode($said, JSON_UNESCAPED_UNICODE), "\n";
