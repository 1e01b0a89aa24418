// The pages after the response of a browser. Fixed texts: they contain no part of the response, and load
// nothing.

/** A page. */
export interface AnswerPage {
  readonly status: number
  readonly body: string
}

const page = (status: number, title: string, text: string): AnswerPage => ({
  status,
  body: `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="color-scheme" content="light dark">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<h1>${title}</h1>
<p>${text}</p>
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
