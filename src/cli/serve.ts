// `tidings serve`: starts a server, says where it is and what to try, and stops it when told to. What is served is not its
// business.
import { Command, Option as Flag } from 'commander'
import { isShort, readKey } from '../auth/keys.ts'
import {
  type Config,
  ConfigError,
  configure,
  flagFor,
  hasKeys,
  type Option,
  options,
  variableFor,
  withFlags
} from '../server/config.ts'
import { type Server, startServer } from '../server/server.ts'

export function serveCommand(): Command {
  const command = new Command('serve').description('Start a server.')
  for (const option of options) command.addOption(toFlag(option))
  return command.action((flags: Record<string, unknown>) => serve(flags))
}

function toFlag(option: Option): Flag {
  const value = option.kind === 'switch' ? '' : ` <${option.kind}>`
  const isSaid = ['string', 'number'].includes(typeof option.default) && option.default !== ''
  const fallback = isSaid ? `, default ${option.default}` : ''
  return new Flag(`${flagFor(option.name)}${value}`, `${option.help} (${variableFor(option.name)}${fallback})`)
}

async function serve(flags: Record<string, unknown>): Promise<void> {
  const started = await startOrExplain(flags)
  if (!started) return
  const { server, config } = started
  for (const name of ['publisherKey', 'subscriberKey'] as const) {
    if (config[name] !== '' && isShort(readKey(config[name]))) console.error(`tidings: ${shortKey(name)}`)
  }
  console.log(greeting(server.url, config))
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void stop(server))
}

interface Started {
  readonly server: Server
  readonly config: Config
}

/** Undefined, with one line said and the exit code set, where the server cannot start. */
async function startOrExplain(flags: Record<string, unknown>): Promise<Started | undefined> {
  let config: Config | undefined
  try {
    config = configure(flags, process.env)
    return { server: await startServer(config, { failed: (error) => console.error('tidings:', error) }), config }
  } catch (error) {
    console.error(`tidings: ${explain(error as NodeJS.ErrnoException, config)}`)
    process.exitCode = 1
    return undefined
  }
}

function explain(error: NodeJS.ErrnoException, config: Config | undefined): string {
  if (error instanceof ConfigError || !config) return error.message
  // What is wrong with options together is said in their names.
  if (error instanceof RangeError) return withFlags(error.message)
  const { host, port } = config
  if (error.code === 'EADDRINUSE')
    return `${host}:${port} is already in use; choose another with --port, or --port 0 for any`
  if (error.code === 'EACCES')
    return `this user may not listen on ${host}:${port}; choose a port above 1023 with --port`
  if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND') return `${host} is not an address of this machine`
  return error.message
}

/** What to try: with keys, it takes a token. */
function greeting(url: string, config: Config): string {
  const { data, anonymous } = config
  const bearer = hasKeys(config) ? `-H "Authorization: Bearer $TOKEN" ` : ''
  return `tidings is listening on ${url}, and keeps history in ${data === '' ? 'memory' : data}

  open      ${url}
  listen    curl -N ${anonymous ? '' : bearer}${url}/subscribe
  publish   curl ${bearer}-d 'hello' ${url}/publish
${bearer && "  token     tidings token --publish '*', or --subscribe '*'\n"}`
}

/** [RFC 7518, 3.2] */
function shortKey(name: string): string {
  return `${flagFor(name)} is shorter than the 32 bytes that HS256 asks for, and so easier to guess; openssl rand -hex 32 makes one`
}

let stopping = false

/** A second signal ends the process at once. */
async function stop(server: Server): Promise<void> {
  if (stopping) process.exit(130)
  stopping = true
  await server.stop()
}
