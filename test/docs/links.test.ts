// The links between the documents lead to files and headings that exist, on GitHub as in the site, which has the same ids of headings.
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { isSoak } from '../support/random.ts'

const folders = ['.', 'bench', 'docs', 'docs/decisions', 'docs/recipes', 'site']
const documents = [
  ...folders.flatMap((folder) => readdirSync(folder).map((name) => join(folder, name))),
  ...readdirSync('examples').map((name) => join('examples', name, 'README.md'))
].filter((path) => path.endsWith('.md') && existsSync(path))

/** The text without code, in which there are no links. */
const prose = (path: string) => readFileSync(path, 'utf8').replace(/^```.*?^```/gms, '')

function headings(path: string): string[] {
  const ids: string[] = []
  for (const [, title = ''] of prose(path).matchAll(/^#+ (.+)$/gm)) {
    const text = title.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase()
    const id = text
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replaceAll(' ', '-')
    const same = ids.filter((one) => one.replace(/-\d+$/, '') === id).length
    ids.push(same === 0 ? id : `${id}-${same}`)
  }
  return ids
}

it('there are documents', () => expect(documents.length).toBeGreaterThan(60))

it('a curl command with a template has -g, because curl replaces {id} otherwise', () => {
  const commands = documents.flatMap((path) => readFileSync(path, 'utf8').match(/^curl .*https?:[^'\s]*\{.*$/gm) ?? [])
  expect(commands.length).toBeGreaterThan(5)
  expect(commands.filter((command) => !/^curl (.* )?-\w*g/.test(command))).toEqual([])
})

it.each(documents)('%s', (path) => {
  const links = [...prose(path).matchAll(/\]\(<?([^)>\s]+)>?\)/g)].map(([, link]) => link as string)
  const broken = links.filter((link) => {
    if (/^([a-z]+:|\/)/.test(link)) return false
    const [file = '', id] = link.split('#')
    const target = file === '' ? path : join(dirname(path), decodeURI(file))
    if (!existsSync(target)) return true
    return id !== undefined && target.endsWith('.md') && !headings(target).includes(id)
  })
  expect(broken).toEqual([])
})

it('the pages of docs/ are in the sidebar', () => {
  const config = readFileSync('site/.vitepress/config.mjs', 'utf8')
  const pages = readdirSync('docs').filter((name) => name.endsWith('.md'))
  expect(pages.filter((name) => !config.includes(`/${name.replace('.md', '')}'`))).toEqual([])
})

// Takes half a minute. The workflow of GitHub Actions builds the site for every commit.
async function testSite(): Promise<void> {
  await promisify(execFile)('node_modules/.bin/vitepress', ['build', 'site'])
  const pages = documents.filter((path) => path.startsWith('docs/')).map((path) => relative('docs', path))
  for (const page of pages) {
    expect(statSync(join('build/site', page.replace('.md', '.html'))).size, page).toBeGreaterThan(1_000)
  }
}

if (isSoak) it('the site builds, with every page', testSite)
