// The frame of every page: head, name, foot. No page loads anything, and none needs a script.

import { directionOf, textsIn } from './i18n/catalog.ts'
import type { PageContext } from './context.ts'
import { SCRIPT } from './frame/script.ts'
import { attributes, html, type Html } from './html.ts'
import type { Theme } from './theme.ts'
import type { SafeUrl } from './markup/url.ts'

/** A page without its frame. */
export interface PageContent {
  /** The heading. The title of the tab begins with what is wrong, where something is. */
  readonly title: string
  /** What is wrong with the form, in a few words. */
  readonly wrong?: string | undefined
  /** For pages that show much. */
  readonly wide?: boolean
  /** Whether there are forms, which the script looks after. */
  readonly forms?: boolean
  readonly body: Html
}

/** The whole page. */
export const page = (content: PageContent, { theme, language }: PageContext): Html => {
  const { title, wrong, wide = false, forms = false, body } = content
  const { frame } = textsIn(language)
  const parts = wrong === undefined ? [title, theme.name] : [wrong, title, theme.name]
  return html`<!doctype html>
    <html lang="${language}" dir="${directionOf(language)}">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${parts.join(' – ')}</title>
        ${icon(theme)} ${theme.stylesheet.element}
      </head>
      <body ${wide ? attributes({ class: 'wide' }) : undefined}>
        <header>
          ${logo(theme)}${theme.logo?.saysName === true ? undefined : html`<p>${theme.name}</p>`}
        </header>
        <main>
          <h1>${title}</h1>
          ${body}
        </main>
        ${foot(theme, frame)} ${forms ? SCRIPT.element : undefined}
      </body>
    </html>`
}

/** Without one browsers request /favicon.ico, which does not exist and would violate the policy. */
const icon = ({ logo: image }: Theme): Html =>
  image === undefined
    ? html`<link rel="icon" href="data:," />`
    : html`<link rel="icon" href="${image.light}" />`

const logo = ({ name, logo: image }: Theme): Html | undefined => {
  if (image === undefined) return undefined
  const shown = html`<img src="${image.light}" alt="${image.saysName ? name : ''}" />`
  return image.dark === undefined
    ? shown
    : html`<picture
        ><source media="(prefers-color-scheme: dark)" srcset="${image.dark}" />
        ${shown}</picture
      >`
}

const foot = (
  { support, imprint, privacy }: Theme,
  texts: { readonly imprint: string; readonly privacy: string },
): Html | undefined => {
  const links = [item(texts.imprint, imprint), item(texts.privacy, privacy)].filter(
    (entry) => entry !== undefined,
  )
  if (support === undefined && links.length === 0) return undefined
  return html`<footer>
    ${support && html`<p>${linked(support.text, support.url)}</p>`}
    ${
      links.length === 0
        ? undefined
        : html`<ul>
            ${links}
          </ul>`
    }
  </footer>`
}

const linked = (text: string, url: SafeUrl | undefined): Html =>
  url === undefined ? html`${text}` : html`<a href="${url}">${text}</a>`

const item = (text: string, url: SafeUrl | undefined): Html | undefined =>
  url && html`<li>${linked(text, url)}</li>`
