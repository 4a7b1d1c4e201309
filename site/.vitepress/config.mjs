// The site of the documents. They are written for GitHub: this file maps their paths and links to those of the site, and fails for a link
// that leads nowhere. `npm run docs` builds it into build/site.
import { copyFileSync, existsSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitepress'

const root = fileURLToPath(new URL('../..', import.meta.url))
/** @type {{ repository?: { url?: string } | string }} */
const manifest = JSON.parse(readFileSync(`${root}package.json`, 'utf8'))
const { repository } = manifest
const address = typeof repository === 'string' ? repository : repository?.url
/** Where source files are shown. Without a repository in package.json, they are text without a link. */
const sources = address && `${address.replace(/^git\+/, '').replace(/\.git$/, '')}/blob/main/`

/** The pages besides docs/, by their paths in the project. */
const others = {
  'README.md': 'about.md',
  'ARCHITECTURE.md': 'architecture.md',
  'PROTOCOL.md': 'protocol.md',
  'CHANGELOG.md': 'changelog.md',
  'CONTRIBUTING.md': 'contributing.md',
  'SECURITY.md': 'security.md',
  'bench/README.md': 'benchmarks.md',
  'site/index.md': 'index.md'
}

/** The page of the site for a file of the project; undefined if the site has none.
 * @param {string} path */
function pageOf(path) {
  if (path in others) return others[/** @type {keyof typeof others} */ (path)]
  return /^docs\/.+\.md$/.test(path) ? path.slice('docs/'.length) : undefined
}

/** The address in the site of a link in a file. @param {string} link @param {string} from the file, from the root of the project */
function addressOf(link, from) {
  const [path = '', fragment] = link.split('#')
  const target = posix.join(posix.dirname(from), decodeURI(path))
  const page = pageOf(target)
  const suffix = fragment === undefined ? '' : `#${fragment}`
  if (target === 'docs/openapi.yaml') return '/openapi.yaml'
  if (page) return `/${page.replace(/(index)?\.md$/, '')}${suffix}`
  if (!existsSync(root + target)) throw new Error(`${from}: the link ${link} leads to no file`)
  return sources ? `${sources}${target}${suffix}` : undefined
}

/** Rewrites the links of a page. A link to a file that the site does not show becomes text.
 * @param {import('markdown-it').default} md */
function rewriteLinks(md) {
  md.core.ruler.push('links-of-the-project', ({ tokens, env }) => {
    const from = originalOf(env.relativePath)
    for (const { children } of tokens) {
      let isText = false
      for (const token of children ?? []) {
        if (token.type === 'link_close' && isText) token.tag = 'span'
        if (token.type !== 'link_open') continue
        const href = token.attrGet('href') ?? ''
        const isExternal = /^([a-z]+:|#|\/)/.test(href)
        const address = isExternal ? href : addressOf(href, from)
        isText = address === undefined
        if (address) token.attrSet('href', address)
        else {
          token.tag = 'span'
          token.attrs = null
        }
      }
    }
  })
}

/** The id of a heading, as GitHub makes it. @param {string} text */
function slugify(text) {
  return text
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-')
}

/** The file of a page of the site. @param {string} page */
function originalOf(page) {
  const [found] = Object.entries(others).find(([, name]) => name === page) ?? []
  return found ?? (existsSync(root + page) ? page : `docs/${page}`)
}

/** @param {string} text @param {string} link */
const item = (text, link) => ({ text, link })
const recipes = {
  'AI SDK': 'ai-sdk',
  'resumable-stream': 'resumable-stream',
  'TanStack AI': 'tanstack-ai',
  'assistant-ui': 'assistant-ui'
}
const frameworks = {
  'node:http': 'http',
  Express: 'express',
  Fastify: 'fastify',
  Koa: 'koa',
  NestJS: 'nestjs',
  'Next.js': 'nextjs',
  'h3, Nitro': 'h3',
  'Hono, fetch': 'fetch',
  Vite: 'vite'
}
/** @param {Record<string, string>} names */
const recipeItems = (names) => Object.entries(names).map(([text, name]) => item(text, `/recipes/${name}`))

export default defineConfig({
  title: 'tidings',
  description: 'A realtime server on Server-Sent Events.',
  srcDir: '..',
  outDir: '../build/site',
  cacheDir: '../build/site-cache',
  srcExclude: ['node_modules/**', 'build/**', 'dist/**', 'examples/**', 'test/**', 'data/**'],
  rewrites: { ...others, 'docs/:path(.*)': ':path' },
  cleanUrls: true,
  head: [['link', { rel: 'icon', href: '/favicon.svg', type: 'image/svg+xml' }]],
  vite: { publicDir: fileURLToPath(new URL('../public', import.meta.url)), logLevel: 'warn' },
  // GitHub shows braces as they are.
  markdown: { attrs: { disable: true }, config: rewriteLinks, anchor: { slugify } },
  buildEnd: ({ outDir }) => copyFileSync(`${root}docs/openapi.yaml`, `${outDir}/openapi.yaml`),
  themeConfig: {
    logo: '/favicon.svg',
    search: { provider: 'local' },
    outline: [2, 3],
    nav: [
      item('Guide', '/getting-started'),
      item('Protocol', '/protocol'),
      item('Operating', '/operating'),
      item('Changelog', '/changelog')
    ],
    sidebar: [
      {
        text: 'Start',
        items: [item('Getting started', '/getting-started'), item('Concepts', '/concepts'), item('About', '/about')]
      },
      {
        text: 'Use',
        items: [
          item('Publishing', '/publishing'),
          item('Subscribing', '/subscribing'),
          item('The client', '/client'),
          item('React', '/react'),
          item('Authorization', '/authorization'),
          item('History', '/history'),
          { text: 'AI runs', link: '/ai', collapsed: true, items: recipeItems(recipes) },
          { text: 'Embedding', link: '/embedding', collapsed: true, items: recipeItems(frameworks) },
          item('Migrating', '/migrating')
        ]
      },
      {
        text: 'Operate',
        items: [
          item('Operating', '/operating'),
          item('Configuration', '/configuration'),
          item('Errors', '/errors'),
          item('Dashboard', '/dashboard'),
          item('Debugging', '/debugging'),
          item('Scaling', '/scaling'),
          item('Performance', '/performance')
        ]
      },
      {
        text: 'Reference',
        items: [
          item('Protocol', '/protocol'),
          item('Architecture', '/architecture'),
          item('Security', '/security'),
          item('Contributing', '/contributing'),
          item('Benchmarks', '/benchmarks'),
          item('Changelog', '/changelog')
        ]
      }
    ]
  }
})
