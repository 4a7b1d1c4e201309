// Bundles the command line into few files, with the libraries that it always needs: a start that reads 350 small files takes twice as
// long. What only some configurations need stays a chunk or a package of its own, which is loaded when it is used.
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { relative } from 'node:path'
import { build } from 'esbuild'

/** Has native code; is used by few. */
const external = ['lmdb', 'redis', 'yaml']

/** The output of tsc, whose folder `cli` is replaced. */
const [, , folder = 'dist'] = process.argv
const cli = `${folder}/cli`

const { metafile, outputFiles } = await build({
  entryPoints: [`${cli}/main.js`],
  outdir: cli,
  write: false,
  metafile: true,
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  external,
  // Libraries in CommonJS call it for the modules of Node.
  banner: {
    js: "import { createRequire as requireFrom } from 'node:module'\nconst require = requireFrom(import.meta.url)"
  },
  plugins: [keepUrls(cli)],
  logLevel: 'warning'
})
rmSync(cli, { recursive: true })
mkdirSync(cli)
for (const { path, contents } of outputFiles) writeFileSync(path, contents)
writeFileSync(`${cli}/third-party-licenses.txt`, licenses(Object.keys(metafile.inputs)))

/** The licenses of the bundled packages, as they require.
 * @param {readonly string[]} inputs */
function licenses(inputs) {
  const folders = new Set(inputs.flatMap((path) => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []))
  const texts = [...folders].sort().map((folder) => {
    const { name, version, license } = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    return `${name} ${version}, ${license}\n\n${file ? readFileSync(`${folder}/${file}`, 'utf8').trim() : ''}\n`
  })
  return texts.join(`\n${'-'.repeat(80)}\n\n`)
}

/** A file that is read next to a module is still found, although the module is now part of another file.
 * @param {string} cli @returns {import('esbuild').Plugin} */
function keepUrls(cli) {
  return {
    name: 'keep-urls',
    setup({ onLoad }) {
      onLoad({ filter: /\/dist\/.*\.js$/ }, ({ path }) => {
        const source = readFileSync(path, 'utf8')
        if (path.includes('/node_modules/') || !source.includes('import.meta.url')) return undefined
        const url = `new URL(${JSON.stringify(relative(cli, path))}, import.meta.url).href`
        return { contents: source.replaceAll('import.meta.url', url) }
      })
    }
  }
}
