// Prints the size of the client as a browser loads it: bundled, minified, and compressed with gzip, next to others.
// `--only-ours` prints only ours. Run `npm run build` first.
import { gzipSync } from 'node:zlib'
import { build } from 'esbuild'

/** What an app would import, by name. Each bundle contains the package's own dependencies. */
const clients = {
  'tidings/client, all of it': "export * from './dist/client/index.js'",
  'tidings/client, subscribe': "export { subscribe } from './dist/client/index.js'",
  'tidings/client, TidingsSource': "export { TidingsSource } from './dist/client/index.js'",
  'tidings/client, publish': "export { publish } from './dist/client/index.js'",
  'eventsource 4': "export { EventSource } from 'eventsource'",
  '@microsoft/fetch-event-source 2': "export { fetchEventSource } from '@microsoft/fetch-event-source'",
  'tRPC 11, httpSubscriptionLink': "export { createTRPCClient, httpSubscriptionLink } from '@trpc/client'",
  'centrifuge 5': "export { Centrifuge } from 'centrifuge'"
}

/** Leaves out what is loaded only when it is needed. @type {import('esbuild').Plugin} */
const withoutLater = {
  name: 'without-later',
  setup({ onResolve }) {
    onResolve({ filter: /./ }, ({ kind, path }) => (kind === 'dynamic-import' ? { path, external: true } : undefined))
  }
}

/** @param {string} contents @param {import('esbuild').Plugin[]} plugins */
async function sizeOf(contents, plugins) {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    plugins,
    bundle: true,
    minify: true,
    write: false,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none'
  })
  const bytes = outputFiles[0]?.contents ?? new Uint8Array()
  return { min: bytes.length, gzip: gzipSync(bytes, { level: 9 }).length }
}

const isOurs = process.argv.includes('--only-ours')

for (const [name, contents] of Object.entries(clients)) {
  if (isOurs && !name.startsWith('tidings')) continue
  const { min, gzip } = await sizeOf(contents, [withoutLater])
  const all = await sizeOf(contents, [])
  const more = all.min > min ? `, ${all.gzip} with what is loaded if it is needed` : ''
  console.log(`${name.padEnd(34)}${String(min).padStart(8)} minified${String(gzip).padStart(8)} gzip${more}`)
}
