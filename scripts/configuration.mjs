// Writes docs/configuration.md from the option table in dist. `--print` prints the page instead.
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { flagFor, options, sections, variableFor } from '../dist/server/config/options.js'
import { format } from '../dist/server/config/value.js'

const head = `# Configuration

Set an option with a flag of \`tidings serve\`, with an environment variable, or in the YAML or JSON file that \`--config\`
names. Flags win over variables, variables over the file, and the file over defaults. \`tidings check-config\` takes the same
options: it checks them without starting a server, and shows each value that is not a default and where it comes from.

- **Secrets**: the value of a secret, of \`store\` and of \`issuers\` can also be in a file that a variable ending in \`_FILE\` names:
  \`TIDINGS_PUBLISHER_KEY_FILE\` instead of \`TIDINGS_PUBLISHER_KEY\`.
- **Lists**: separate the entries with commas in flags and variables. In the file, write a list.
- **Switches**: the flag takes no value. A variable or the file takes \`true\` or \`false\`.
- **Durations**: \`500ms\`, \`10s\`, \`5m\`, \`24h\`, \`7d\`. The unit is required, except for 0.
- **Variables without an option**: the server logs a warning for each, with the name that was probably meant. The variables that Kubernetes
  sets for a service called \`tidings\`, such as \`TIDINGS_PORT=tcp://10.96.0.17:80\`, are ignored.
- **Sizes**: \`64KiB\`, \`1MiB\`, \`1GiB\`, or a number of bytes.

SIGHUP reloads the options with "yes" in the column *reload*. The others need a restart. If the new configuration has an
error, it is logged, and the old configuration stays in use.

\`node scripts/configuration.mjs\` generates this page from the option table.
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

| flag | variable | key in the file | kind | default | reload | meaning |
| --- | --- | --- | --- | --- | --- | --- |
${rows.join('')}`
}

const page = head + sections.map(part).join('')
if (process.argv.includes('--print')) process.stdout.write(page)
else writeFileSync(fileURLToPath(new URL('../docs/configuration.md', import.meta.url)), page)
