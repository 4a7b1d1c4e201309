// Writes docs/configuration.md from the table of the server's options, as it was built; `--print` only shows it. It knows
// no option.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flagFor, options, sections, variableFor } from '../dist/server/config/options.js'
import { format } from '../dist/server/config/value.js'

const head = `# Configuration

Every option can be given in three ways: as a flag of \`tidings serve\`, as a variable, or in a YAML or JSON file that
\`--config\` names. Flags go before variables, variables before the file, the file before defaults. \`tidings check-config\`
takes the same, and says what is wrong, or what differs from the defaults and where it was said.

The value of a secret may also be in a file that a variable names: \`TIDINGS_PUBLISHER_KEY_FILE\` for
\`TIDINGS_PUBLISHER_KEY\`. A list is separated by commas in flags and variables, and a list in the file. Durations are
written as \`500ms\`, \`10s\`, \`5m\`, \`24h\`, \`7d\`, and need a unit unless they are 0; sizes as \`64KiB\`, \`1MiB\`, \`1GiB\`.

Options with "yes" below *reload* are read anew on SIGHUP; the others need a restart. What is wrong with the new
configuration is logged, and the old one stays.

This page is made from the table of options by \`node scripts/configuration.mjs\`.
`

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|')
/** @param {string} text */
const code = (text) => (text === '' ? '–' : `\`${cell(text)}\``)

/** @param {(typeof options)[number]} option */
function row({ name, kind, default: fallback, reload, help }) {
  const said = format(kind, fallback)
  const columns = [
    code(flagFor(name)),
    code(variableFor(name)),
    name === 'config' ? '–' : code(name),
    cell(kind),
    code(said)
  ]
  return `| ${[...columns, reload ? 'yes' : 'no', cell(help)].join(' | ')} |\n`
}

/** @param {string} section */
function part(section) {
  const rows = options.filter((option) => option.section === section).map(row)
  return `
## ${section}

| flag | variable | key in the file | kind | default | reload | what it is for |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('')}`
}

const page = head + sections.map(part).join('')
if (process.argv.includes('--print')) process.stdout.write(page)
else writeFileSync(fileURLToPath(new URL('../docs/configuration.md', import.meta.url)), page)
