<?php
// Publishes an update with symfony/mercure, as a Symfony application does.
use Symfony\Component\Mercure\Hub;
use Symfony\Component\Mercure\Jwt\StaticTokenProvider;
use Symfony\Component\Mercure\Update;

// The folder of Debian's packages. An application has vendor/autoload.php instead.
require '/usr/share/php/Symfony/Component/Mercure/autoload.php';
require '/usr/share/php/Symfony/Component/HttpClient/autoload.php';

$url = getenv('MERCURE_URL') ?: 'http://127.0.0.1:3000/.well-known/mercure';
$hub = new Hub($url, new StaticTokenProvider(getenv('MERCURE_JWT')));
$id = $hub->publish(new Update('https://example.com/books/1', json_encode(['title' => $argv[1] ?? 'New title'])));
echo "published $id\n";
