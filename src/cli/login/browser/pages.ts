// The pages after the response of a browser. Fixed texts: they contain no part of the response, and load
// nothing. They look like the pages of Countersign's issuer, without its theme.

import { createHash } from 'node:crypto'

/** A page. */
export interface AnswerPage {
  readonly status: number
  readonly body: string
}

const STYLE = `
:root{color-scheme:light dark;--page:#f2f4f7;--card:#fff;--text:#191c20;--faint:#d9dde2}
@media(prefers-color-scheme:dark){:root{--page:#111418;--card:#1b1f25;--text:#e9ecf0;--faint:#343b44}}
body{margin:0;padding:10vh 1rem 1.5rem;background:var(--page);color:var(--text);font:100%/1.5 system-ui,sans-serif}
main{box-sizing:border-box;max-width:26rem;margin:0 auto;padding:2rem;background:var(--card);border:1px solid var(--faint);border-radius:.75rem}
h1{margin:0 0 1rem;font-size:1.5rem;line-height:1.25}
p{margin:0}
`

/** The policy of the pages (CSP Level 3): nothing is loaded, and no other style applies. */
export const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ')

const page = (status: number, title: string, text: string): AnswerPage => ({
  status,
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>${STYLE}</style>
<main>
<h1>${title}</h1>
<p>${text}</p>
</main>
</html>
`,
})

/** The login succeeded. */
export const DONE = page(
  200,
  'You are logged in',
  'You may close this page and return to the terminal.',
)

/** It did not. */
export const FAILED = page(
  400,
  'You are not logged in',
  'The terminal shows the error. You may close this page.',
)

/** The answer has come already. */
export const SPENT = page(
  410,
  'This login is over',
  'It was answered already. See the terminal for the result; you may close this page.',
)

/** The page for a response to another login. */
export const STRANGE = {
  400: page(400, 'This is not the answer to the login', 'Nothing was done.'),
  404: page(404, 'There is no such page', 'Nothing was done.'),
  405: page(405, 'This page can only be read', 'Nothing was done.'),
} as const satisfies Readonly<Record<number, AnswerPage>>
