// Hostile tokens: each would authenticate an attacker if it were accepted.

import { createHmac } from 'node:crypto'
import { before, describe } from 'node:test'
import { presentedCertificate } from '../../fixtures/presented.ts'
import { tokenTable, type TokenCase } from './token-table.ts'
import {
  AUDIENCE,
  claimsOf,
  encode,
  headerText,
  ISSUER,
  keySetOf,
  makeKey,
  NOW,
  signedText,
  type IssuerKey,
} from './issuing.ts'

let key: IssuerKey
let attacker: IssuerKey
let rsa: IssuerKey
before(async () => {
  key = await makeKey()
  attacker = await makeKey()
  rsa = await makeKey('RS256', 'rsa')
})

const CLAIMS = JSON.stringify(claimsOf())

const unsigned = (header: unknown, signature = ''): string =>
  `${encode(JSON.stringify(header))}.${encode(CLAIMS)}.${signature}`

/** HS256 with public data as the secret. */
const hmac = (secret: string | Buffer, header: unknown): string => {
  const signed = `${encode(JSON.stringify(header))}.${encode(CLAIMS)}`
  return `${signed}.${createHmac('sha256', secret).update(signed).digest('base64url')}`
}

const tableOf = (cases: readonly TokenCase[]): void => tokenTable(() => keySetOf(key, rsa), cases)

describe('an algorithm that proves nothing', () => {
  const pem = (): string => rsa.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  tableOf([
    { name: 'none', token: () => unsigned({ alg: 'none' }), want: 'credential-malformed' },
    { name: 'none, signed', token: () => unsigned({ alg: 'none' }, 'YQ'), want: 'token-algorithm' },
    { name: 'nOnE', token: () => unsigned({ alg: 'nOnE' }, 'YQ'), want: 'token-algorithm' },
    { name: 'no alg', token: () => unsigned({ kid: 'k1' }, 'YQ'), want: 'token-algorithm' },
    { name: 'a list', token: () => unsigned({ alg: ['ES256'] }, 'YQ'), want: 'token-algorithm' },
    {
      name: 'a built-in property',
      token: () => unsigned({ alg: 'toString' }, 'YQ'),
      want: 'token-algorithm',
    },
    {
      name: 'HS256 with the public key as PEM',
      token: () => hmac(pem(), { alg: 'HS256', kid: 'rsa' }),
      want: 'token-algorithm',
    },
    {
      name: 'HS256 with the public key as JWK',
      token: () => hmac(JSON.stringify(rsa.jwk), { alg: 'HS256', kid: 'rsa' }),
      want: 'token-algorithm',
    },
    {
      name: 'HS256 with nothing',
      token: () => hmac('', { alg: 'HS256' }),
      want: 'token-algorithm',
    },
    {
      name: 'a known one that is not allowed',
      token: () => unsigned({ alg: 'RS512', kid: 'rsa' }, 'YQ'),
      want: 'token-algorithm',
    },
    {
      name: "one of another type than the key's",
      token: () => unsigned({ alg: 'RS256', kid: 'k1' }, 'YQ'),
      want: 'token-key-unknown',
    },
    {
      name: 'PS256 by a key for RS256',
      token: () => unsigned({ alg: 'PS256', kid: 'rsa' }, 'YQ'),
      want: 'token-key-unknown',
    },
  ])
})

describe('a signature that is none', () => {
  const withSignature = async (signature: string | Buffer): Promise<string> => {
    const [header, claims] = (await key.token()).split('.')
    return `${header}.${claims}.${encode(signature)}`
  }
  tableOf([
    { name: "another's", token: () => attacker.token(), want: 'token-signature' },
    { name: 'cut off', token: () => unsigned({ alg: 'ES256' }), want: 'credential-malformed' },
    {
      name: 'zeros (CVE-2022-21449)',
      token: () => withSignature(Buffer.alloc(64)),
      want: 'token-signature',
    },
    { name: 'one byte', token: () => withSignature('a'), want: 'token-signature' },
    {
      name: 'far too long',
      token: () => withSignature('x'.repeat(4_000)),
      want: 'token-signature',
    },
    {
      name: 'that of other claims',
      token: async () => {
        const [header, , signature] = (await key.token()).split('.')
        return `${header}.${encode(JSON.stringify(claimsOf({ sub: 'admin' })))}.${signature}`
      },
      want: 'token-signature',
    },
    {
      name: 'spelt in another way',
      token: async () => {
        const token = await key.token()
        const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
        // 64 bytes leave four bits over in the last character, which a lenient reader drops.
        return token.slice(0, -1) + alphabet[alphabet.indexOf(token.slice(-1)) + 1]
      },
      want: 'credential-malformed',
    },
    {
      name: 'in DER',
      token: async () => {
        const [header, claims, signature = ''] = (await key.token()).split('.')
        const raw = Buffer.from(signature, 'base64url')
        const integer = (bytes: Buffer): Buffer =>
          Buffer.concat([Buffer.from([2, bytes.length + 1, 0]), bytes])
        const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))])
        const der = Buffer.concat([Buffer.from([0x30, body.length]), body])
        return `${header}.${claims}.${encode(der)}`
      },
      want: 'token-signature',
    },
  ])
})

describe('a header that would choose the key', () => {
  const forged = (header: Readonly<Record<string, unknown>>) => (): Promise<string> =>
    attacker.token(claimsOf(), header)
  const own = (): Readonly<Record<string, unknown>> => ({ jwk: attacker.jwk })
  tableOf([
    {
      name: 'a path as kid',
      token: forged({ kid: '../../etc/passwd' }),
      want: 'token-key-unknown',
    },
    { name: '/dev/null as kid', token: forged({ kid: '/dev/null' }), want: 'token-key-unknown' },
    { name: 'SQL as kid', token: forged({ kid: "k1' OR '1'='1" }), want: 'token-key-unknown' },
    { name: 'a command as kid', token: forged({ kid: 'k1|/bin/id' }), want: 'token-key-unknown' },
    {
      name: 'the prototype as kid',
      token: forged({ kid: '__proto__' }),
      want: 'token-key-unknown',
    },
    { name: 'a property as kid', token: forged({ kid: 'constructor' }), want: 'token-key-unknown' },
    { name: 'an empty kid', token: forged({ kid: '' }), want: 'token-key-unknown' },
    {
      name: 'a kid that is not a string',
      token: () => signedText(key, headerText({ kid: ['k1'] }), CLAIMS),
      want: 'credential-malformed',
    },
    {
      name: 'jku',
      token: forged({ jku: 'https://attacker.example/jwks' }),
      want: 'token-signature',
    },
    { name: 'x5u', token: forged({ x5u: 'https://attacker.example/x' }), want: 'token-signature' },
    { name: 'jwk', token: () => forged(own())(), want: 'token-signature' },
    {
      name: 'jwk under a kid of its own',
      token: () => forged({ ...own(), kid: 'mine' })(),
      want: 'token-key-unknown',
    },
    {
      name: 'x5c',
      token: async () => {
        const der = await presentedCertificate()
        return forged({ x5c: [der.toString('base64')] })()
      },
      want: 'token-signature',
    },
  ])
})

describe('a token with two readings', () => {
  const both = `"sub":"alice","iss":"${ISSUER}","aud":"${AUDIENCE}","exp":${NOW + 60}`
  const claiming = (text: string) => () => signedText(key, headerText(), text)
  tableOf([
    { name: 'one of its kind is good', token: claiming(`{${both}}`), want: 'authenticated' },
    {
      name: 'two subjects',
      token: claiming(`{"sub":"bob",${both}}`),
      want: 'credential-malformed',
    },
    {
      name: 'two subjects, one escaped',
      token: claiming(String.raw`{"\u0073ub":"bob",${both}}`),
      want: 'credential-malformed',
    },
    {
      name: 'two issuers',
      token: claiming(`{"iss":"https://other",${both}}`),
      want: 'credential-malformed',
    },
    {
      name: 'two expiries',
      token: claiming(`{${both},"exp":${NOW - 60}}`),
      want: 'credential-malformed',
    },
    {
      name: 'two values further in',
      token: claiming(`{${both},"realm":{"admin":false,"admin":true}}`),
      want: 'credential-malformed',
    },
    {
      name: 'a prototype',
      token: claiming(`{${both},"__proto__":{"sub":"bob"}}`),
      want: 'credential-malformed',
    },
    {
      name: 'two algorithms',
      token: () => signedText(key, '{"alg":"none","kid":"k1","alg":"ES256"}', CLAIMS),
      want: 'credential-malformed',
    },
    {
      name: 'a byte order mark',
      token: () => signedText(key, headerText(), `\ufeff${CLAIMS}`),
      want: 'credential-malformed',
    },
    {
      name: 'a byte order mark before the header',
      token: () => signedText(key, `\ufeff${headerText()}`, CLAIMS),
      want: 'not-applicable',
    },
    {
      name: 'white space before the header',
      token: () => signedText(key, `\n ${headerText()}`, CLAIMS),
      want: 'authenticated',
    },
  ])
})

describe('a header that demands more than is understood', () => {
  const asking = (header: Readonly<Record<string, unknown>>) => (): string =>
    signedText(key, headerText(header), CLAIMS)
  tableOf([
    { name: 'crit', token: asking({ crit: ['exp'], exp: 1 }), want: 'credential-malformed' },
    { name: 'an empty crit', token: asking({ crit: [] }), want: 'credential-malformed' },
    { name: 'crit null', token: asking({ crit: null }), want: 'credential-malformed' },
    { name: 'b64', token: asking({ crit: ['b64'], b64: false }), want: 'credential-malformed' },
    { name: 'b64 alone', token: asking({ b64: false }), want: 'credential-malformed' },
    { name: 'members that are unknown', token: asking({ 'x-y': 1 }), want: 'authenticated' },
  ])
})
