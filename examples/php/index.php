<?php
// A page that is rendered by PHP, and that follows the hub from the moment of its rendering. A form publishes through PHP.
$hub = getenv('HUB') ?: 'http://127.0.0.1:5000';

/** Sends a request to the hub, and returns its headers in lower case. */
function ask(string $method, string $url, string $body = ''): array
{
    $options = ['method' => $method, 'header' => 'Content-Type: text/plain', 'content' => $body, 'timeout' => 5];
    if (file_get_contents($url, false, stream_context_create(['http' => $options])) === false) {
        http_response_code(502);
        exit('the hub does not answer');
    }
    $headers = [];
    foreach ($http_response_header as $line) {
        [$name, $value] = explode(':', $line, 2) + [1 => ''];
        $headers[strtolower($name)] = trim($value);
    }
    return $headers;
}

if ($_SERVER['REQUEST_METHOD'] === 'POST') {
    ask('POST', "$hub/publish?topic=news", $_POST['text'] ?? '');
    header('Location: /', true, 303);
    exit;
}

// Everything that is published after this id reaches the page, however long it takes to load.
$id = ask('HEAD', "$hub/subscribe?topic=news")['last-event-id'];
$url = "$hub/subscribe?" . http_build_query(['topic' => 'news', 'last_event_id' => $id]);
?>
<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>News</title>
<form method="post"><input name="text" aria-label="News" required> <button>Publish</button></form>
<ul id="news"></ul>
<script>
  const source = new EventSource(<?= json_encode($url) ?>)
  source.onmessage = ({ data }) => {
    const item = document.createElement('li')
    item.textContent = data
    document.querySelector('#news').prepend(item)
  }
</script>
</html>
