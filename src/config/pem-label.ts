// PEM in the place of another text.

/** The label of a text that begins as PEM (RFC 7468 §2); `undefined` for any other text. */
export const pemLabel = (text: string): string | undefined =>
  /^\s*-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(text)?.[1]
