// The changes that fix common misconfigurations, for each proxy.
import type { Change } from './finding.ts'

export const buffering: Change = {
  nginx: 'proxy_buffering off;  and no proxy_ignore_headers X-Accel-Buffering;  in the location of the hub',
  Caddy: 'reverse_proxy hub:5000 { flush_interval -1 }',
  Cloudflare: 'Response Buffering off for this path, and nothing that rewrites bodies'
}

export const compression: Change = {
  nginx: 'gzip off;  in the location of the hub, or no text/event-stream in gzip_types',
  Caddy: '@rest not path /subscribe /.well-known/mercure  and then  encode @rest gzip',
  Cloudflare: 'a Compression Rule that disables compression for this path'
}

export const idling: Change = {
  nginx: 'proxy_read_timeout 1h;  in the location of the hub',
  Caddy: 'no read_timeout in transport http, and no stream_timeout',
  Cloudflare: 'nothing: it closes after 100 s without data, and heartbeats are more frequent',
  tidings: '--heartbeat shorter than the read timeout of the proxy'
}

export const requestHeader: Change = {
  nginx: 'no proxy_set_header Last-Event-ID "";  and no proxy_pass_request_headers off;',
  Caddy: 'no header_up -Last-Event-ID in reverse_proxy',
  Cloudflare: 'no Transform Rule that removes request headers'
}

export const answerHeader: Change = {
  nginx: 'no proxy_hide_header Last-Event-ID;',
  Caddy: 'no header_down -Last-Event-ID in reverse_proxy',
  Cloudflare: 'no Transform Rule that removes response headers'
}

export const caching: Change = {
  nginx: 'no proxy_hide_header Cache-Control;  no proxy_ignore_headers Cache-Control;  no expires;  proxy_cache off;',
  Caddy: 'no header -Cache-Control, and no cache before the hub',
  Cloudflare: 'a Cache Rule that bypasses the cache for this path, and Browser Cache TTL: respect existing headers'
}

export const contentType: Change = {
  nginx: 'no proxy_hide_header Content-Type;  and no default type in its place',
  Caddy: 'no header Content-Type for this path',
  Cloudflare: 'no Transform Rule that changes Content-Type'
}

export const query: Change = {
  nginx: 'proxy_pass http://hub:5000;  without a path, or  rewrite ^ … break;  that keeps $is_args$args',
  Caddy: 'no rewrite of the hub’s paths, or one that ends with ?{query}',
  Cloudflare: 'no Transform Rule that rewrites the query, and no cache key that ignores it'
}

export const path: Change = {
  nginx: 'location / { proxy_pass http://hub:5000; }  for the whole hub, or use the URL with the path of the hub',
  Caddy: 'handle_path /hub/* { reverse_proxy hub:5000 }  where the hub is below a path',
  Cloudflare: 'a DNS record and an origin of the hub'
}

export const host: Change = {
  nginx: 'proxy_set_header Host $host;',
  Caddy: 'nothing: it keeps the Host header',
  Cloudflare: 'no Host Header Override',
  tidings: '--public-urls with this URL; without keys, --open'
}

export const upstream: Change = {
  nginx: 'proxy_pass with the address that tidings prints at start',
  Caddy: 'reverse_proxy with the address that tidings prints at start',
  Cloudflare: 'an origin that answers; its error page has the reason'
}

export const certificate: Change = {
  nginx: 'ssl_certificate with the whole chain, not only the last certificate, for this name',
  Caddy: 'this name in the address of the site, so that Caddy gets a certificate for it',
  Cloudflare: 'an edge certificate that covers this name; SSL/TLS mode: Full (strict)',
  tidings: '--tls-cert with the whole chain'
}

export const http2: Change = {
  nginx: 'listen 443 ssl http2;  (from 1.25.1 on:  http2 on;)',
  Caddy: 'nothing: it speaks HTTP/2 on https',
  Cloudflare: 'HTTP/2 on, under Speed',
  tidings: '--tls-cert and --tls-key: HTTP/2 comes with them'
}

export const cors: Change = {
  tidings: '--cors-origins with this origin',
  nginx: 'no add_header Access-Control-Allow-Origin, since the hub sends it',
  Caddy: 'no header Access-Control-Allow-Origin, since the hub sends it',
  Cloudflare: 'no Transform Rule that sets CORS headers'
}
