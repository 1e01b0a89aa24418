// Entries and changes in LDIF (RFC 2849), every value in base64: nothing needs escaping then.

/** Attributes of an entry, each with one value or several. */
export type LdifAttributes = Readonly<Record<string, string | Buffer | readonly string[]>>

const line = (name: string, value: string | Buffer): string =>
  `${name}:: ${Buffer.from(value).toString('base64')}`

const lines = (name: string, value: string | Buffer | readonly string[]): readonly string[] =>
  typeof value === 'string' || Buffer.isBuffer(value)
    ? [line(name, value)]
    : value.map((one) => line(name, one))

/** An entry. */
export const ldifEntry = (dn: string, attributes: LdifAttributes): string =>
  [
    line('dn', dn),
    ...Object.entries(attributes).flatMap(([name, value]) => lines(name, value)),
    '',
    '',
  ].join('\n')

/** A change that gives attributes of an entry new values. */
export const ldifReplace = (dn: string, attributes: LdifAttributes): string =>
  [
    line('dn', dn),
    'changetype: modify',
    ...Object.entries(attributes).flatMap(([name, value]) => [
      `replace: ${name}`,
      ...lines(name, value),
      '-',
    ]),
    '',
    '',
  ].join('\n')

/** A change that adds an entry of {@link ldifEntry}. */
export const ldifAdd = (entry: string): string => entry.replace('\n', '\nchangetype: add\n')

/** A change that removes an entry. */
export const ldifDelete = (dn: string): string =>
  [line('dn', dn), 'changetype: delete', '', ''].join('\n')
