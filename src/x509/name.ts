// Distinguished names (RFC 5280 §4.1.2.4): attributes as text ↔ DER.

import { isUtf8 } from 'node:buffer'
import { DerReader, element, malformed, readOnly, sequence, TAG, type Element } from './der.ts'
import { ATTRIBUTES, attributeName, oidElement, readOid } from './oid.ts'
import { replaceUnprintable } from '../runtime/text.ts'

/** One attribute of a name. */
export interface Attribute {
  /** Its type, an OID. */
  readonly oid: string
  readonly value: string
}

// What RFC 5280 appendix A gives a type of its own; everything else is a DirectoryString.
const PRINTABLE: ReadonlySet<string> = new Set([ATTRIBUTES.C, ATTRIBUTES.serialNumber])
const IA5: ReadonlySet<string> = new Set([ATTRIBUTES.DC, ATTRIBUTES.emailAddress])

// X.680 §41.4.
const PRINTABLE_TEXT = /^[A-Za-z0-9 '()+,\-./:=?]*$/

/** Why an attribute cannot have a value; `undefined` when it can. */
export const attributeFault = ({ oid, value }: Attribute): string | undefined => {
  if (oid === ATTRIBUTES.C && !/^[A-Z]{2}$/.test(value)) return 'a country has two letters'
  if (PRINTABLE.has(oid) && !PRINTABLE_TEXT.test(value)) return 'not a PrintableString'
  if (IA5.has(oid) && !isAscii(value)) return 'not ASCII'
  return value.isWellFormed() ? undefined : 'not Unicode'
}

/** A name whose relative distinguished names have one attribute each, in the order given. */
export const encodeName = (attributes: readonly Attribute[]): Buffer =>
  sequence(
    ...attributes.map(({ oid, value }) =>
      element(TAG.set, sequence(oidElement(oid), stringElement(oid, value))),
    ),
  )

const stringElement = (oid: string, value: string): Buffer => {
  if (PRINTABLE.has(oid)) return element(TAG.printableString, Buffer.from(value, 'latin1'))
  if (IA5.has(oid)) return element(TAG.ia5String, Buffer.from(value, 'latin1'))
  return element(TAG.utf8String, Buffer.from(value, 'utf8'))
}

/**
 * Every attribute of a name, in order; which ones shared a relative distinguished name is lost.
 *
 * @throws CountersignError `malformed-certificate`, also for strings of obsolete types
 */
export const decodeName = (der: Uint8Array): readonly Attribute[] => {
  const attributes: Attribute[] = []
  const names = new DerReader(readOnly(der, TAG.sequence))
  while (names.more) {
    const relative = names.enter(TAG.set)
    if (!relative.more) throw malformed('an empty relative distinguished name')
    while (relative.more) {
      const attribute = relative.enter(TAG.sequence)
      const oid = readOid(attribute.expect(TAG.oid))
      attributes.push({ oid, value: readString(attribute.next()) })
      attribute.end()
    }
  }
  return attributes
}

/** The text of a string element. Types whose meaning readers differ on (T61, BMP) are refused. */
export const readString = ({ tag, content }: Element): string => {
  switch (tag) {
    case TAG.utf8String:
      if (isUtf8(content)) return content.toString('utf8')
      break
    case TAG.printableString:
    case TAG.numericString:
      // "*", "@", "&" and "_" do not belong here, yet every verifier lets them pass.
      if (/^[A-Za-z0-9 '()+,\-./:=?*@&_]*$/.test(content.toString('latin1'))) {
        return content.toString('latin1')
      }
      break
    case TAG.ia5String:
      if (isAscii(content.toString('latin1'))) return content.toString('latin1')
      break
  }
  throw malformed(`a string of type 0x${tag.toString(16)} that cannot be read`)
}

/** Whether the text is ASCII throughout, as an IA5String is. */
export const isAscii = (text: string): boolean => /^\p{ASCII}*$/u.test(text)

/** The name as text (RFC 4514 §2: last first), for logs and messages. */
export const formatName = (attributes: readonly Attribute[]): string =>
  attributes
    .toReversed()
    .map(({ oid, value }) => `${attributeName(oid)}=${escapeValue(value)}`)
    .join(',')

// RFC 4514 §2.4; control and format characters and ends of lines as well, since logs are read on terminals.
const escapeValue = (value: string): string =>
  replaceUnprintable(value.replaceAll(/[\\"+,;<>]|^[ #]| $/g, String.raw`\$&`), (char) =>
    Buffer.from(char)
      .toString('hex')
      .replaceAll(/../g, String.raw`\$&`),
  )
