// Writes docs/errors.md from the error messages in src. `--print` prints the page instead. It reads the syntax trees of the sources, so a
// message that is computed appears with its variables as {name}.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'vite'
import { remedies } from './error-remedies.mjs'

/** @typedef {Record<string, any> & { type: string }} Tree */
/** @typedef {{ path: string, tree: Tree, nodes: readonly Tree[] }} Source */
/** @typedef {{ kind: string, path: string, subject: string, text: string }} Message */

const root = fileURLToPath(new URL('..', import.meta.url))

const sources = readdirSync(`${root}src`, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => /\.tsx?$/.test(path))
  .sort()
  .map((path) => {
    const source = readFileSync(`${root}src/${path}`, 'utf8')
    const tree = withParents(/** @type {any} */ (parseSync(path, source).program))
    return { path, tree, nodes: [...nodesOf(tree)] }
  })

/** The position of the subject (a code or an option) and of the text in the arguments of the errors that have both. */
const positions = new Map([
  ['TidingsError', { subject: 0, text: 1 }],
  ['AccessError', { subject: 0, text: 9 }],
  ['OptionError', { subject: 0, text: 1 }],
  ['RunError', { subject: 0, text: 1 }],
  ['StreamStoreError', { subject: 0, text: 1 }],
  ['RefusedError', { subject: 1, text: 2 }]
])
const other = { subject: 9, text: 0 }
const levels = ['warn', 'error', 'fatal']

/** @param {Tree} tree @param {Tree | undefined} [parent] @returns {Tree} */
function withParents(tree, parent) {
  Object.defineProperty(tree, 'parent', { value: parent })
  for (const child of childrenOf(tree)) withParents(child, tree)
  return tree
}

/** @param {Tree} tree @returns {Tree[]} */
function childrenOf(tree) {
  return Object.values(tree)
    .flat()
    .filter((child) => typeof child?.type === 'string')
}

/** @param {Tree} tree @returns {Generator<Tree>} */
function* nodesOf(tree) {
  yield tree
  for (const child of childrenOf(tree)) yield* nodesOf(child)
}

/** @param {Tree} tree @returns {Generator<Tree>} */
function* ancestorsOf(tree) {
  for (let at = tree.parent; at; at = at.parent) yield at
}

/** @param {Tree} tree */
const isFunction = (tree) => /Function/.test(tree.type) && Array.isArray(tree.params)
/** @param {Tree} param */
const paramName = (param) => param.name ?? param.left?.name ?? param.argument?.name
/** @param {Tree} tree */
const nameOf = (tree) => tree.id?.name ?? tree.parent?.id?.name ?? tree.parent?.key?.name

/** The texts that an expression can have; undefined if none is known. @param {Tree | undefined} tree @param {Source} source
 * @param {readonly Tree[]} [seen] @returns {string[] | undefined} */
function textsOf(tree, source, seen = []) {
  if (!tree || seen.includes(tree)) return undefined
  const all = [...seen, tree]
  /** @param {Tree} part */
  const known = (part) => textsOf(part, source, all)
  /** @param {(string[] | undefined)[]} parts */
  const either = (...parts) => {
    const texts = parts.flatMap((part) => part ?? [])
    return texts.length > 0 ? texts : undefined
  }
  switch (tree.type) {
    case 'Literal':
      return ['string', 'number'].includes(typeof tree.value) ? [String(tree.value)] : undefined
    case 'TemplateLiteral':
      return tree.quasis.reduce(
        (/** @type {string[]} */ heads, /** @type {Tree} */ quasi, /** @type {number} */ at) => {
          const next = tree.expressions[at]
          // A variable that occurs twice has the same value in both places.
          const isRepeated =
            tree.expressions.filter((/** @type {Tree} */ one) => one.name && one.name === next?.name).length > 1
          const tails = next ? ((isRepeated ? undefined : known(next)) ?? [placeholder(next)]) : ['']
          return heads.flatMap((head) => tails.map((/** @type {string} */ tail) => head + quasi.value.cooked + tail))
        },
        ['']
      )
    case 'BinaryExpression': {
      const sides = [tree.left, tree.right].map(known)
      if (tree.operator !== '+' || !sides.some(Boolean)) return undefined
      const [left, right] = sides.map((texts, at) => texts ?? [placeholder(at === 0 ? tree.left : tree.right)])
      return left?.flatMap((one) => right?.map((two) => one + two) ?? [])
    }
    case 'ConditionalExpression':
      return either(known(tree.consequent), known(tree.alternate))
    case 'LogicalExpression':
      return either(known(tree.left), known(tree.right))
    case 'TSAsExpression':
      return known(tree.expression)
    case 'ArrowFunctionExpression':
      return tree.body.type === 'BlockStatement' ? undefined : known(tree.body)
    case 'CallExpression':
      return tree.callee.name === 'nameOf' ? known(tree.arguments[0]) : returnedBy(tree, source, all)
    case 'Identifier':
      return resolve(tree, source, all)
  }
  return undefined
}

/** What a call of a function of the same file returns. @param {Tree} call @param {Source} source @param {readonly Tree[]} seen */
function returnedBy(call, source, seen) {
  if (call.callee.type !== 'Identifier') return undefined
  const called = source.nodes.find((tree) => isFunction(tree) && nameOf(tree) === call.callee.name)
  if (!called) return undefined
  const statements = called.body.type === 'BlockStatement' ? called.body.body : []
  return textsOf(statements.length === 1 ? statements[0].argument : called.body, source, seen)
}

/** The texts of a constant, or those that callers give to a parameter. @param {Tree} tree @param {Source} source
 * @param {readonly Tree[]} seen @returns {string[] | undefined} */
function resolve(tree, source, seen) {
  const { name } = tree
  for (const scope of ancestorsOf(tree)) {
    if (!isFunction(scope)) continue
    const at = scope.params.findIndex((/** @type {Tree} */ param) => paramName(param) === name)
    if (at < 0) continue
    const texts = callsOf(scope, source).flatMap((call) => textsOf(call.arguments[at], source, seen) ?? [])
    return texts.length > 0 ? texts : undefined
  }
  const declared = declarationOf(name, source)
  if (declared) return textsOf(declared, source, seen)
  if (!source.nodes.some((one) => one.type === 'ImportSpecifier' && one.local.name === name)) return undefined
  for (const file of sources) {
    const exported = declarationOf(name, file)
    if (exported) return textsOf(exported, file, seen)
  }
  return undefined
}

/** @param {string} name @param {Source} source @returns {Tree | undefined} */
function declarationOf(name, { nodes }) {
  return nodes.find((one) => one.type === 'VariableDeclarator' && one.id.name === name)?.init
}

/** The calls of a function in its file: by its name, also where it is a parameter of that name. @param {Tree} called
 * @param {Source} source */
function callsOf(called, source) {
  const name = nameOf(called)
  const around = [...ancestorsOf(called)].find((tree) => isFunction(tree) || tree.type === 'Program')
  return source.nodes.filter((tree) => {
    if (tree.type !== 'CallExpression' || (tree.callee.name ?? tree.callee.property?.name) !== name) return false
    const outside = [...ancestorsOf(tree)]
    if (around && outside.includes(around)) return true
    return outside.some(
      (scope) => isFunction(scope) && scope.params.some((/** @type {Tree} */ p) => paramName(p) === name)
    )
  })
}

/** What stands for the value of an expression. @param {Tree} tree @returns {string} */
function placeholder(tree) {
  const { arguments: [argument] = [], callee, property, name } = tree
  if (argument && argument.type !== 'Literal' && !isFunction(argument)) return placeholder(argument)
  const inner = callee?.object ?? tree.left ?? tree.expression
  if (inner) return placeholder(inner)
  const word = property?.name ?? name
  return word === undefined ? '{…}' : `{${word}}`
}

/** @param {Source} source @returns {Generator<Message>} */
function* messagesOf(source) {
  const { path } = source
  for (const tree of source.nodes) {
    const kind = tree.callee?.name ?? ''
    if (tree.type === 'NewExpression' && /(Error|Failure)$/.test(kind)) {
      const { subject, text } = positions.get(kind) ?? other
      for (const [about, said] of pairsOf(tree.arguments[subject], tree.arguments[text], source)) {
        if (about !== '' || said !== '') yield { kind, path, subject: about, text: said }
      }
    }
    const level = tree.type === 'CallExpression' ? tree.callee.property?.name : undefined
    if (
      levels.includes(level) &&
      /logger$/.test(tree.callee.object?.name ?? tree.callee.object?.property?.name ?? '')
    ) {
      for (const text of tree.arguments.flatMap((/** @type {Tree} */ one) => textsOf(one, source) ?? [])) {
        yield { kind: 'line', path, subject: level, text }
      }
    }
    if (tree.type === 'CallExpression' && kind === 'say') {
      for (const text of textsOf(tree.arguments[0], source) ?? []) yield { kind, path, subject: '', text }
    }
  }
}

/** Subjects with their texts. Where both come from the calls of one function, each call gives a pair. @param {Tree | undefined} subject
 * @param {Tree | undefined} text @param {Source} source @returns {[string, string][]} */
function pairsOf(subject, text, source) {
  const helper = subject && [...ancestorsOf(subject)].find(isFunction)
  const at = [subject, text].map((one) => {
    return helper?.params.findIndex((/** @type {Tree} */ param) => one?.name && paramName(param) === one.name) ?? -1
  })
  if (helper && (at[0] ?? -1) >= 0) {
    return callsOf(helper, source).flatMap((call) => {
      return pairsOf(call.arguments[at[0] ?? 0], (at[1] ?? -1) >= 0 ? call.arguments[at[1] ?? 0] : text, source)
    })
  }
  const subjects = textsOf(subject, source) ?? [subject ? placeholder(subject) : '']
  return subjects.flatMap((one) =>
    (textsOf(text, source) ?? ['']).map((said) => /** @type {[string, string]} */ ([one, said]))
  )
}

const messages = sources.flatMap((source) => [...messagesOf(source)])

/** The table of src/errors.ts. @returns {[code: string, status: number, sentence: string][]} */
function codes() {
  const file = sources.find(({ path }) => path === 'errors.ts')
  if (!file) throw new Error('src/errors.ts is missing')
  let table = declarationOf('table', file)
  while (table && table.type !== 'ObjectExpression') table = table.expression
  return table?.properties.map((/** @type {Tree} */ { key, value }) => {
    return [key.name, value.elements[0].value, value.elements[1].value]
  })
}

/** @param {string} text */
const cell = (text) => text.replaceAll('|', '\\|').replaceAll('<', '&lt;').replaceAll('\n', ' ')

/** @param {string[]} head @param {string[][]} rows */
function table(head, rows) {
  const lines = [head, head.map(() => '---'), ...rows.map((row) => row.map(cell))].map(
    (row) => `| ${row.join(' | ')} |`
  )
  return `${[...new Set(lines)].join('\n')}\n`
}

/** @param {string} title @param {string} about @param {(message: Message) => boolean} isPart @param {string} [subject] */
function part(title, about, isPart, subject) {
  const found = messages.filter((message) => message.text !== '' && isPart(message))
  const head = [...(subject === undefined ? [] : [subject]), 'message', 'file']
  const rows = found.map(({ path, subject: name, text }) => {
    return [...(subject === undefined ? [] : [name === '' ? '–' : `\`${name}\``]), text, `\`src/${path}\``]
  })
  return `\n## ${title}\n\n${about}\n\n${table(head, rows)}`
}

function httpPart() {
  const missing = codes().filter(([code]) => remedies[code] === undefined)
  if (missing.length > 0)
    throw new Error(`scripts/error-remedies.mjs has no entry for ${missing.map(([code]) => code)}`)
  const rows = codes().map(([code, status, sentence]) => [
    `\`${code}\``,
    `${status}`,
    `${sentence}.`,
    `${remedies[code]}.`
  ])
  const details = messages.filter(({ kind, text }) => kind === 'TidingsError' && text !== '')
  const order = codes().map(([code]) => code)
  details.sort((one, two) => order.indexOf(one.subject) - order.indexOf(two.subject))
  return `
## Answers to HTTP requests

The body is the sentence, or with \`Accept: application/json\` \`{"error":{"code","message"}}\`. The library throws the same errors as
\`TidingsError\`. The endpoint of Mercure 1.0 answers as its protocol requires.

${table(['code', 'status', 'sentence', 'what to do'], rows)}
The sentence can continue after a colon with a detail:

${table(
  ['code', 'detail', 'file'],
  details.map(({ subject, text, path }) => [`\`${subject}\``, text, `\`src/${path}\``])
)}`
}

const options = ['OptionError', 'ConfigError', 'RangeError', 'TypeError']
/** @param {RegExp} folder @param {readonly string[]} kinds @returns {(message: Message) => boolean} */
const within =
  (folder, kinds) =>
  ({ path, kind }) =>
    folder.test(path) && kinds.includes(kind)
const own = /^(cli|client|react|ai|fetch|fastify)\//
const page = `# Error messages

All messages of tidings, from the sources. \`{name}\` stands for a value. Programs compare \`error.code\`, not the sentence.

\`node scripts/errors.mjs\` generates this page.
${part(
  'Options and start',
  'The message begins with the name of the option as its reader wrote it: a flag, a variable, a key of the file, or a property.',
  ({ path, kind }) => options.includes(kind) && !/^(cli|client|react|ai)\//.test(path),
  'option'
)}${httpPart()}${part(
  'The log',
  'Errors at the start, and the reasons in `log_unavailable` and in log lines. A message about Redis begins with its address.',
  ({ path, kind }) => path.startsWith('log/') && !options.includes(kind) && kind !== 'TidingsError' && kind !== 'line'
)}${part(
  'Tokens',
  'Only for those who verify tokens in code: the answer to a client never says what is wrong with its token.',
  within(/^auth\//, ['TokenError', 'Error'])
)}${part(
  'The running server',
  'Errors of parts of the server and of applications that it asks. They are in its log lines.',
  ({ path, kind }) => !own.test(path) && !/^(log|auth)\//.test(path) && kind === 'Error'
)}${part('Log lines', 'Lines of the levels warn, error and fatal.', ({ kind }) => kind === 'line', 'level')}${part(
  'Commands',
  'A command prints the message after `tidings: ` on stderr. The exit code is 1, and 2 for an invalid argument.',
  ({ path, kind }) => path.startsWith('cli/') && !['line', 'TidingsError'].includes(kind)
)}${part(
  'The client, React and adapters',
  'Rejections and errors of `tidings/client`, `tidings/react`, `tidings/fetch` and `tidings/fastify`.',
  ({ path, kind }) => /^(client|react|fetch|fastify)\//.test(path) && kind !== 'TidingsError' && !options.includes(kind)
)}${part(
  'Runs',
  'Errors of `tidings/ai`. A `RunError` has the code.',
  ({ path, kind }) => path.startsWith('ai/') && kind !== 'TidingsError',
  'code'
)}`

if (process.argv.includes('--print')) process.stdout.write(page)
else writeFileSync(`${root}docs/errors.md`, page)
