// PEM (RFC 7468): the text form of certificates and keys.

/** DER as a PEM block, with its end of line. */
export const encodePem = (label: string, der: Uint8Array): string => {
  const lines = Buffer.from(der.buffer, der.byteOffset, der.byteLength)
    .toString('base64')
    .replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`
}

/** The DER of every block with the label, in order; text around the blocks is skipped. */
export const decodePem = (label: string, text: string): readonly Buffer[] =>
  [...text.matchAll(blocks(label))].map(([, base64 = '']) => Buffer.from(base64, 'base64'))

const blocks = (label: string): RegExp =>
  new RegExp(`-----BEGIN ${label}-----([A-Za-z0-9+/=\\s]+)-----END ${label}-----`, 'g')
