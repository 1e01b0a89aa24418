// A CA in files: what its certificate and key must be, and what its signatures are.

import assert from 'node:assert/strict'
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { describe, it } from 'node:test'
import { readAuthorityChain } from '../../src/ca/authority-certificate.ts'
import { FileCa, readAuthorityKey } from '../../src/ca/file-ca.ts'
import { RemoteCa } from '../fakes/certificate-authority.ts'
import { FakeClock } from '../fakes/clock.ts'
import { fileCaOf, makeCa } from './authorities.ts'
import { authorityConformance } from './conformance.ts'

const NOW = new FakeClock().now()

const KINDS = ['p256', 'p384', 'p521', 'ed25519', 'rsa2048', 'rsa3072'] as const
for (const kind of KINDS) {
  let ca: ReturnType<typeof makeCa> | undefined // made once: an RSA key takes long
  authorityConformance(`FileCa with a key of ${kind}`, async () =>
    fileCaOf(await (ca ??= makeCa({ kind }))),
  )
}

let root: ReturnType<typeof makeCa> | undefined
authorityConformance('FileCa below another CA', async () => {
  const above = await (root ??= makeCa({ subject: 'CN=Root', kind: 'rsa2048' }))
  return fileCaOf(await makeCa({ subject: 'CN=Below', issuer: above }), above)
})

authorityConformance('RemoteCa (a fake)', async () => {
  const ca = await makeCa()
  return new RemoteCa(readAuthorityChain(ca.certificate, NOW).certificate, ca.key)
})

describe('the key file of a CA', () => {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2_048 }).privateKey
  const PASSPHRASE = 'correct horse'
  const encrypted = privateKey.export({
    type: 'pkcs8',
    format: 'pem',
    cipher: 'aes-256-cbc',
    passphrase: PASSPHRASE,
  })
  const legacy = rsa.export({
    type: 'pkcs1',
    format: 'pem',
    cipher: 'aes-128-cbc',
    passphrase: PASSPHRASE,
  })
  // `openssl ecparam -genkey` writes the curve in front.
  const parameters =
    '-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n'

  const GOOD: readonly {
    name: string
    pem: string | Buffer
    passphrase?: string
    key: KeyObject
  }[] = [
    { name: 'PKCS#8', pem: privateKey.export({ type: 'pkcs8', format: 'pem' }), key: privateKey },
    { name: 'SEC1', pem: privateKey.export({ type: 'sec1', format: 'pem' }), key: privateKey },
    {
      name: 'SEC1 with its parameters',
      pem: `${parameters}${privateKey.export({ type: 'sec1', format: 'pem' }).toString()}`,
      key: privateKey,
    },
    { name: 'PKCS#1', pem: rsa.export({ type: 'pkcs1', format: 'pem' }), key: rsa },
    { name: 'PKCS#8, encrypted', pem: encrypted, passphrase: PASSPHRASE, key: privateKey },
    {
      name: 'a passphrase file with a line end',
      pem: encrypted,
      passphrase: `${PASSPHRASE}\n`,
      key: privateKey,
    },
    { name: 'PKCS#1, encrypted', pem: legacy, passphrase: PASSPHRASE, key: rsa },
    {
      name: 'a key that is not encrypted, with a passphrase',
      pem: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      passphrase: PASSPHRASE,
      key: privateKey,
    },
  ]
  for (const { name, pem, passphrase, key } of GOOD) {
    it(`is read: ${name}`, () => {
      const read = readAuthorityKey(Buffer.from(pem), bufferOf(passphrase))
      assert.ok(read.equals(key))
    })
  }

  const BAD: readonly { name: string; pem: string | Buffer; passphrase?: string; says: RegExp }[] =
    [
      {
        name: 'a wrong passphrase',
        pem: encrypted,
        passphrase: 'wrong',
        says: /passphrase is not its/,
      },
      {
        name: 'an encrypted key without a passphrase',
        pem: encrypted,
        says: /is encrypted and needs its "passphrase"/,
      },
      { name: 'an empty passphrase', pem: encrypted, passphrase: '\n', says: /passphrase/ },
      {
        name: 'a wrong passphrase of PKCS#1',
        pem: legacy,
        passphrase: 'wrong',
        says: /passphrase/,
      },
      { name: 'an empty file', pem: '', says: /not a private key in PEM/ },
      {
        name: 'a text that is not a key',
        pem: 'secret-material',
        says: /not a private key in PEM/,
      },
      {
        name: 'a public key',
        pem: generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'pem' }),
        says: /not a private key in PEM/,
      },
    ]
  for (const { name, pem, passphrase, says } of BAD) {
    it(`is refused: ${name}`, () => {
      assert.throws(
        () => readAuthorityKey(Buffer.from(pem), bufferOf(passphrase)),
        (error: Error) => {
          assert.match(error.message, says)
          assert.doesNotMatch(error.message, /wrong|horse|secret-material|MII/)
          return 'code' in error && error.code === 'authority-unusable'
        },
      )
    })
  }
})

const bufferOf = (text: string | undefined): Buffer | undefined =>
  text === undefined ? undefined : Buffer.from(text)

describe('a CA is refused', () => {
  it('when the key is not the certificate’s', async () => {
    const { certificate } = await makeCa()
    const { key } = await makeCa()
    assert.throws(() => new FileCa(readAuthorityChain(certificate, NOW), key), {
      code: 'authority-unusable',
      message: 'the key does not belong to the certificate',
    })
  })

  const UNFIT: readonly { name: string; key: () => KeyObject }[] = [
    {
      name: 'RSA-PSS',
      key: () => generateKeyPairSync('rsa-pss', { modulusLength: 2_048 }).privateKey,
    },
    {
      name: 'RSA of 1024 bits',
      key: () => generateKeyPairSync('rsa', { modulusLength: 1_024 }).privateKey,
    },
    { name: 'Ed448', key: () => generateKeyPairSync('ed448').privateKey },
    { name: 'X25519', key: () => generateKeyPairSync('x25519').privateKey },
    {
      name: 'secp256k1',
      key: () => generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).privateKey,
    },
  ]
  for (const { name, key } of UNFIT) {
    it(`when its key is of a kind that is not supported: ${name}`, async () => {
      const chain = readAuthorityChain((await makeCa()).certificate, NOW)
      const pem = key().export({ type: 'pkcs8', format: 'pem' })
      assert.throws(() => new FileCa(chain, createPrivateKey(pem)), /the key is not one of EC/)
    })
  }
})
