// The site of the documents. The pages are the Markdown files of the repository, as GitHub shows them; this adds
// navigation, search and the rendering of diagrams. It loads nothing from other servers.

import { defineConfig, type Plugin } from 'vitepress'
import { siteLink } from '../links.ts'
import { anchorOf, pagePaths, ROOT, sidebar, sitePath } from '../pages.ts'
import versions from '../versions.json' with { type: 'json' }

const [current] = versions

// Within the page: a check mark in a circle.
const ICON = `data:image/svg+xml,${encodeURIComponent(
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16"><circle cx="8" cy="8" r="8" fill="#3451b2"/><path d="m4 8 3 3 5-6" fill="none" stroke="#fff" stroke-width="2"/></svg>',
)}`

/** The pages are outside of this folder, where Vue is not found; what renders them to HTML runs in it, where Vue is. */
const vueOfThisFolder: Plugin = {
  name: 'vue-of-this-folder',
  enforce: 'pre',
  resolveId: (id, _importer, { ssr }) =>
    ssr === true && /^vue(\/server-renderer)?$/.test(id) ? { id, external: true } : undefined,
}

export default defineConfig({
  title: 'Countersign',
  description: 'Identity transformation for Envoy',
  lang: 'en-GB',
  head: [['link', { rel: 'icon', href: ICON }]],
  base: process.env['DOCS_BASE'] ?? '/',
  srcDir: ROOT,
  srcExclude: ['**/node_modules/**', '{dist,.cache}/**'],
  outDir: 'dist',
  cacheDir: '.vitepress/cache',
  rewrites: {
    ...Object.fromEntries(pagePaths().map((page) => [page, sitePath(page)])),
    'site/files/:file*': 'files/:file*',
  },
  cleanUrls: false,
  lastUpdated: false,
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: anchorOf },
    config: (md) => {
      const linkOpen = md.renderer.rules.link_open
      md.renderer.rules.link_open = (tokens, index, options, env, self) => {
        const token = tokens[index]
        const href = token?.attrGet('href')
        if (href) token?.attrSet('href', siteLink(pageOf(env), href))
        return (
          linkOpen?.(tokens, index, options, env, self) ?? self.renderToken(tokens, index, options)
        )
      }
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, index, options, env, self) => {
        const { info = '', content = '' } = tokens[index] ?? {}
        if (info.trim() !== 'mermaid') return fence?.(tokens, index, options, env, self) ?? ''
        return `<Mermaid code="${encodeURIComponent(content)}" />`
      }
    },
  },
  vite: {
    plugins: [vueOfThisFolder],
    build: { chunkSizeWarningLimit: 2500 }, // kB: diagrams, and the index of the search
  },
  themeConfig: {
    nav: [
      {
        text: current?.version ?? '',
        items: versions.map(({ version, link }) => ({ text: version, link })),
      },
    ],
    sidebar: sidebar(),
    outline: [2, 3],
    search: { provider: 'local' },
  },
})

const pageAt = new Map(pagePaths().map((page) => [sitePath(page), page]))

/** The page that is rendered, from the root of the repository. */
const pageOf = (env: { relativePath: string }): string =>
  pageAt.get(env.relativePath) ?? env.relativePath
