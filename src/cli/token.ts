// `tidings token`: makes a signed token and prints nothing else, so that a script can use the output.
import { Command, Option as Flag } from 'commander'
import type { Dialect } from '../auth/dialect.ts'
import type { Json } from '../auth/grants.ts'
import { type MintOptions, mint } from '../auth/mint.ts'
import { OptionError, withOptionName } from '../errors.ts'
import { hubPath } from '../http/access/options.ts'
import type { Sources } from '../server/config/config.ts'
import { type Config, flagFor, variableFor } from '../server/config/options.ts'
import { parseDuration } from '../units.ts'
import { Failure } from './client/failure.ts'
import { collect, readUrl, urlVariable } from './client/flags.ts'
import { endOnFailure } from './client/run.ts'
import { withConfig } from './server-flags.ts'

interface Flags {
  readonly publish: readonly string[]
  readonly subscribe: readonly string[]
  readonly operate?: boolean
  readonly dialect: Dialect
  readonly expires: string
  readonly payload?: string
  readonly key?: string
  readonly algorithm?: string
  readonly url?: URL
  /** Whether `url` is from the flag, not from the variable. */
  readonly isUrlTyped: boolean
  readonly audience?: string
  readonly issuer?: string
  readonly subject?: string
}

/** As the parser returns them. */
type Given = Omit<Flags, 'publish' | 'subscribe' | 'isUrlTyped'> & Partial<Pick<Flags, 'publish' | 'subscribe'>>

const examples = `
Examples:
  export TIDINGS_PUBLISHER_KEY="$(openssl rand -hex 32)"
  tidings token --publish 'orders/{id}' --expires 10m
  curl -H "Authorization: Bearer $(tidings token --publish '*')" -d hello http://127.0.0.1:5000/publish
`

export function tokenCommand(): Command {
  return new Command('token')
    .option('--publish <topic>', 'allow publishing to a topic, a/{x}, or *; repeat it for several', collect)
    .option('--subscribe <topic>', 'allow reading private updates of a topic; repeat it for several', collect)
    .option('--operate', 'allow operating the server, such as `tidings revoke`')
    .addOption(new Flag('--dialect <dialect>', 'version of Mercure').choices(['1.0', '0.x']).default('1.0'))
    .option('--expires <duration>', 'lifetime such as 10m or 7d; in 0.x also never', '1h')
    .option('--payload <json>', 'JSON that is shown in lists of subscriptions')
    .option('--key <key>', 'secret, or private key as PEM or JWK (TIDINGS_PUBLISHER_KEY, TIDINGS_SUBSCRIBER_KEY)')
    .option('--algorithm <name>', 'signature algorithm such as HS512; default: the one that fits the key')
    .addOption(
      new Flag('--url <url>', 'URL of the server that the token is for, in 1.0').env(urlVariable).argParser(readUrl)
    )
    .option('--audience <url>', 'the claim `aud`, if it is not the URL of the server (TIDINGS_AUDIENCE)')
    .option('--issuer <name>', 'the claim `iss` (TIDINGS_ISSUERS, default tidings)')
    .option('--subject <name>', 'the claim `sub`')
    .addHelpText('after', examples)
    .action((given: Given, command: Command) => {
      const isUrlTyped = command.getOptionValueSource('url') === 'cli'
      return endOnFailure(() => printToken({ publish: [], subscribe: [], ...given, isUrlTyped }))
    })
}

async function printToken(flags: Flags): Promise<void> {
  const { config, sources } = await withConfig({}, (config, sources) => ({ config, sources }))
  try {
    process.stdout.write(`${await mint(mintOptions(flags, config))}\n`)
    if (flags.dialect === '1.0' && !isAddressed(flags, sources)) {
      console.error(
        `tidings: the token is for the server at ${addressOf(config)}; for another one, give --url or --audience`
      )
    }
  } catch (error) {
    if (!(error instanceof OptionError)) throw error
    throw new Failure(error.describe(nameFor(flags)))
  }
}

/** Options of `mint` by the flag that sets them, or by the variable that the key came from. */
function nameFor(flags: Flags): (option: string) => string {
  return (option) => {
    if (option === 'key' && flags.key === undefined) return keyVariable(flags)
    return option === 'expiresIn' ? '--expires' : flagFor(option)
  }
}

function mintOptions(flags: Flags, config: Config): MintOptions {
  const { publish, subscribe, operate = false, dialect, algorithm, subject, payload } = flags
  if (publish.length + subscribe.length === 0 && !operate) {
    throw new Failure(
      "a token needs a permission: give --publish 'a/{x}', --subscribe '*', --operate, or several of them"
    )
  }
  const issuer = flags.issuer ?? issuerOf(config)
  const expiresIn = readExpiry(flags)
  return {
    dialect,
    publish,
    subscribe,
    operate,
    key: flags.key ?? keyFor(flags, config),
    audience: flags.audience ?? audienceOf(flags, config),
    ...(issuer !== undefined && { issuer }),
    ...(algorithm !== undefined && { algorithm }),
    ...(subject !== undefined && { subject }),
    ...(expiresIn !== undefined && { expiresIn }),
    ...(payload !== undefined && { payload: readPayload(payload) })
  }
}

/** A token has one signature, so one key has to verify it in both roles. */
function keyFor(flags: Flags, { publisherKey, subscriberKey }: Config): string {
  if (needsPublisherKey(flags) && flags.subscribe.length > 0 && publisherKey !== subscriberKey) {
    throw new Failure('publishers and subscribers have different keys; make one token for each')
  }
  const key = needsPublisherKey(flags) ? publisherKey : subscriberKey
  if (key === '') throw new Failure(`no key to sign with; set ${keyVariable(flags)} or --key`)
  return key
}

/** The key of publishers also signs the tokens of operators. */
function needsPublisherKey({ publish, operate = false }: Flags): boolean {
  return publish.length > 0 || operate
}

function keyVariable(flags: Flags): string {
  return variableFor(needsPublisherKey(flags) ? 'publisherKey' : 'subscriberKey')
}

function issuerOf({ issuers: [first] }: Config): string | undefined {
  return typeof first === 'object' ? first.issuer : first
}

/** The hub of a server is below the URL of the server. */
function audienceOf(flags: Flags, config: Config): string {
  const [named] = config.audience
  const [publicUrl] = config.publicUrls
  if (flags.url && flags.isUrlTyped) return hubOf(flags.url)
  if (named !== undefined) return named
  if (publicUrl !== undefined) return new URL(hubPath, publicUrl).href
  return flags.url ? hubOf(flags.url) : addressOf(config) + hubPath
}

function hubOf(url: URL): string {
  return url.href.replace(/\/$/, '') + hubPath
}

function addressOf({ host, port }: Config): string {
  return `http://${host.includes(':') ? `[${host}]` : host}:${port}`
}

/** Whether the user said which server the token is for, in a flag or a variable. */
function isAddressed({ url, audience }: Flags, sources: Sources): boolean {
  const names = ['audience', 'publicUrls', 'host', 'port'] as const
  return url !== undefined || audience !== undefined || names.some((name) => sources.has(name))
}

function readExpiry({ expires, dialect }: Flags): number | undefined {
  if (expires === 'never' && dialect === '0.x') return undefined
  if (expires === 'never') {
    throw new OptionError('expires', 'a token of Mercure 1.0 has to expire; give a duration such as 30d')
  }
  const seconds = Math.ceil(withOptionName('expires', () => parseDuration(expires)) / 1_000)
  if (seconds === 0) throw new OptionError('expires', 'expected more than 0, such as 1h')
  return seconds
}

function readPayload(text: string): Json {
  try {
    return JSON.parse(text) as Json
  } catch {
    throw new OptionError('payload', `expected JSON such as '{"name":"Ada"}', got ${JSON.stringify(text)}`)
  }
}
