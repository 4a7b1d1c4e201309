// Prints the size of the client as a browser loads it: bundled, minified, and compressed with gzip, next to others.
// `--only-ours` prints only ours. Run `npm run build` first.
import { relative } from 'node:path'
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

/**
 * What a page loads with the client, and what it loads only if it needs it.
 * @param {string} contents
 */
async function sizeOf(contents) {
  const { outputFiles, metafile } = await build({
    stdin: { contents, resolveDir: process.cwd() },
    bundle: true,
    minify: true,
    splitting: true,
    outdir: 'out',
    write: false,
    metafile: true,
    format: 'esm',
    target: 'es2022',
    legalComments: 'none'
  })
  const files = new Map(outputFiles.map((file) => [relative(process.cwd(), file.path), file.contents]))
  const entry = Object.keys(metafile.outputs).find((path) => metafile.outputs[path]?.entryPoint === '<stdin>')
  const first = new Set([entry ?? ''])
  for (const path of first) {
    for (const { path: next, kind } of metafile.outputs[path]?.imports ?? []) {
      if (kind === 'import-statement') first.add(next)
    }
  }
  const total = { min: 0, gzip: 0, later: 0 }
  for (const [path, bytes] of files) {
    const gzip = gzipSync(bytes, { level: 9 }).length
    if (!first.has(path)) total.later += gzip
    else {
      total.min += bytes.length
      total.gzip += gzip
    }
  }
  return total
}

const isOurs = process.argv.includes('--only-ours')

for (const [name, contents] of Object.entries(clients)) {
  if (isOurs && !name.startsWith('tidings')) continue
  const { min, gzip, later } = await sizeOf(contents)
  const more = later > 0 ? `, and ${later} if needed` : ''
  console.log(`${name.padEnd(34)}${String(min).padStart(8)} minified${String(gzip).padStart(8)} gzip${more}`)
}
