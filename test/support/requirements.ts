// Programs that a suite needs besides Node: finds them, installs them where possible, or reports them as missing.
import { execFile } from 'node:child_process'
import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import { describe } from 'vitest'

export interface Requirement {
  /** Display name. */
  readonly name: string
  /** Returns the path, or undefined. */
  find(): string | undefined
  /** The Debian package that contains it. */
  readonly aptPackage: string
  /** There is a replacement, so one attempt to install it is enough, and it may be missing in CI. */
  readonly isOptional?: boolean
}

/** The path, or the reason why it is missing. */
export type Found = { readonly path: string } | { readonly missing: string }

export const chromium = () =>
  requirement({
    name: 'Chromium',
    find: () => onPath('chromium', 'chromium-browser', 'google-chrome'),
    aptPackage: 'chromium'
  })

/** Chromium without the user interface of a browser, which takes half the processor time; Chromium itself where there is none. */
export async function headlessChromium(): Promise<Found> {
  const name = 'chromium-headless-shell'
  const found = await requirement({ name, find: () => onPath(name), aptPackage: name, isOptional: true })
  return 'path' in found ? found : chromium()
}

export const curl = () => requirement({ name: 'curl', find: () => onPath('curl'), aptPackage: 'curl' })

export const nginx = () =>
  requirement({ name: 'nginx', find: () => onPath('nginx') ?? find('/usr/sbin/nginx'), aptPackage: 'nginx' })

export const php = () => requirement({ name: 'PHP', find: () => onPath('php'), aptPackage: 'php-cli' })

export const symfony = (component: 'Mercure' | 'HttpClient', aptPackage: string) => {
  const path = `/usr/share/php/Symfony/Component/${component}/autoload.php`
  return requirement({ name: `symfony/${component}`, find: () => (existsSync(path) ? path : undefined), aptPackage })
}

export const redis = () =>
  requirement({
    name: 'Redis',
    find: () => onPath('redis-server', 'valkey-server') ?? find('/usr/sbin/redis-server'),
    aptPackage: 'redis-server'
  })

/** Also looks in folders for daemons, which are often not on the PATH. */
function find(path: string): string | undefined {
  return isProgram(path) ? path : undefined
}

/** @throws Error with `CI=true`, where a suite that cannot run is a failure. */
export async function requirement(wanted: Requirement): Promise<Found> {
  const path = wanted.find() ?? (await install(wanted))
  if (typeof path === 'string') return { path }
  if (process.env.CI === 'true' && !wanted.isOptional) throw new Error(path.missing)
  return path
}

/** Runs a suite if the requirement is found; otherwise reports it as skipped, with the reason. */
export function describeWith(found: Found, title: string, suite: (path: string) => void): void {
  if ('path' in found) describe(title, () => suite(found.path))
  else describe.skip(`${title} (skipped: ${found.missing})`, () => suite(''))
}

/** The first of these programs on the PATH. */
export function onPath(...programs: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return programs.flatMap((program) => folders.map((folder) => join(folder, program))).find(isProgram)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return statSync(path).isFile()
  } catch {
    return false
  }
}

async function install({
  name,
  find,
  aptPackage,
  isOptional = false
}: Requirement): Promise<string | { missing: string }> {
  if (!isDebianAsRoot()) return { missing: `${name} is not installed, and is installed here only on Debian as root` }
  console.error(`installing ${aptPackage} (once) …`)
  const get = `apt-get install -y --no-install-recommends ${aptPackage}`
  try {
    // One at a time, since test files run in parallel. The package lists are updated only if the first attempt fails.
    const script = isOptional ? get : `${get} || { apt-get update && ${get}; }`
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
    await promisify(execFile)('flock', [join(tmpdir(), 'tidings-apt.lock'), 'sh', '-c', script], { env })
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    return { missing: `${name} is not installed, and apt-get could not install ${aptPackage}: ${lastLine(stderr)}` }
  }
  return find() ?? { missing: `${name} is not found, although ${aptPackage} is installed` }
}

function isDebianAsRoot(): boolean {
  if (process.getuid?.() !== 0) return false
  try {
    return /^ID=debian$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1) ?? ''
}
