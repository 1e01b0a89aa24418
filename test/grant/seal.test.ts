// Handles: one for each grant, opaque without the key, and none that was not sealed.

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { describe, it } from 'node:test'
import { gcmsiv } from '@noble/ciphers/aes.js'
import { encodeGrant } from '../../src/grant/grant.ts'
import { handleDigest } from '../../src/grant/handle.ts'
import { GrantSeal, type Sealing } from '../../src/grant/seal.ts'
import { parseGrantKeys, type GrantKey } from '../../src/keys/grant-keys.ts'
import { bytesOf } from '../fixtures/certificate.ts'
import { grantOf, sealed, sealedBytes, subjectOf, codeOf } from '../fakes/grant.ts'

const lineOf = (byte: number): string => Buffer.alloc(32, byte).toString('base64url')

const keyOf = (byte: number): GrantKey => {
  const [key] = parseGrantKeys('test', lineOf(byte))
  assert.ok(key !== undefined)
  return key
}

const KEY = keyOf(1)
const OTHER = keyOf(2)
const seal = new GrantSeal([KEY])
const handle = sealed(grantOf(), KEY)

describe('AES-256-GCM-SIV', () => {
  const KEY_1 = `01${'00'.repeat(31)}`
  const NONCE_3 = `03${'00'.repeat(11)}`
  // RFC 8452 appendix C.2, and C.3 where the counter wraps.
  const VECTORS = [
    {
      name: 'an empty text',
      key: KEY_1,
      nonce: NONCE_3,
      aad: '',
      text: '',
      want: '07f5f4169bbf55a8400cd47ea6fd400f',
    },
    {
      name: 'a text of 8 bytes',
      key: KEY_1,
      nonce: NONCE_3,
      aad: '',
      text: '0100000000000000',
      want: 'c2ef328e5c71c83b843122130f7364b761e0b97427e3df28',
    },
    {
      name: '8 bytes with additional data',
      key: KEY_1,
      nonce: NONCE_3,
      aad: '01',
      text: '0200000000000000',
      want: '1de22967237a813291213f267e3b452f02d01ae33e4ec854',
    },
    {
      name: '16 bytes with additional data',
      key: KEY_1,
      nonce: NONCE_3,
      aad: '01',
      text: `02${'00'.repeat(15)}`,
      want: 'c91545823cc24f17dbb0e9e807d5ec17b292d28ff61189e8e49f3875ef91aff7',
    },
    {
      name: 'a counter that wraps',
      key: '00'.repeat(32),
      nonce: '00'.repeat(12),
      aad: '',
      text: '000000000000000000000000000000004db923dc793ee6497c76dcc03a98e108',
      want: 'f3f80f2cf0cb2dd9c5984fcda908456cc537703b5ba70324a6793a7bf218d3eaffffffff000000000000000000000000',
    },
    {
      name: 'a counter that wraps at once',
      key: '00'.repeat(32),
      nonce: '00'.repeat(12),
      aad: '',
      text: 'eb3640277c7ffd1303c7a542d02d3e4c0000000000000000',
      want: '18ce4f0b8cb4d0cac65fea8f79257b20888e53e72299e56dffffffff000000000000000000000000',
    },
  ]
  for (const { name, key, nonce, aad, text, want } of VECTORS) {
    it(`has the result of RFC 8452: ${name}`, () => {
      const cipher = () => gcmsiv(bytesOf(key), bytesOf(nonce), bytesOf(aad))
      assert.equal(Buffer.from(cipher().encrypt(bytesOf(text))).toString('hex'), want)
      assert.equal(Buffer.from(cipher().decrypt(bytesOf(want))).toString('hex'), text)
    })
  }

  it('seals a handle: format, key id, and the grant under a fixed nonce', () => {
    assert.equal(handle, sealedBytes(encodeGrant(grantOf()), KEY))
    const bytes = Buffer.from(handle, 'base64url')
    assert.equal(bytes[0], 1)
    assert.deepEqual(bytes.subarray(1, 5), KEY.id)
    assert.equal(bytes.length, 5 + encodeGrant(grantOf()).length + 16)
  })
})

describe('a certificate handle', () => {
  it('opens to the grant that was sealed', () => {
    assert.deepEqual(seal.open(handle), { outcome: 'opened', grant: grantOf() })
  })

  it('is the same for an equal grant', () => {
    assert.equal(sealed(grantOf(), KEY), handle)
    assert.equal(sealed(structuredClone({ ...grantOf() }), KEY), handle)
  })

  it('is the same in another process', () => {
    const from = (path: string): string => new URL(path, import.meta.url).href
    const script = `
      import { GrantSeal } from '${from('../../src/grant/seal.ts')}'
      import { parseGrantKeys } from '${from('../../src/keys/grant-keys.ts')}'
      import { grantOf } from '${from('../fakes/grant.ts')}'
      const seal = new GrantSeal(parseGrantKeys('test', '${lineOf(1)}'))
      process.stdout.write(seal.seal(grantOf()).handle)`
    const args = ['--input-type=module', '--eval', script]
    assert.equal(execFileSync(process.execPath, args, { encoding: 'utf8' }), handle)
  })

  it('is the same in every version, since authz and signer are upgraded separately', () => {
    const grant = {
      authority: 'kube',
      route: 'app',
      authenticator: 'staff',
      subject: bytesOf('3010 310e 300c 0603550403 0c05616c696365'),
      extensions: [{ oid: '2.5.29.19', critical: true, value: bytesOf('3000') }],
      notBefore: 1_767_225_300,
      notAfter: 1_767_229_200,
      renewAt: 1_767_227_400,
    }
    assert.equal(sealed(grant, KEY), GOLDEN)
    assert.deepEqual(seal.open(GOLDEN), { outcome: 'opened', grant })
  })

  it('has only characters that names and logs can hold', () => {
    assert.match(handle, /^[A-Za-z0-9_-]+$/)
  })

  it('reveals nothing of the grant', () => {
    const bytes = Buffer.from(handle, 'base64url')
    for (const text of ['alice', 'developers', 'kube', 'kubernetes', 'staff']) {
      assert.equal(bytes.indexOf(text), -1)
    }
  })

  it('has no byte in common, except the key id, with that of a grant that differs in one bit', () => {
    const next = Buffer.from(
      sealed(grantOf({ notAfter: grantOf().notAfter ^ 1 }), KEY),
      'base64url',
    )
    const bytes = Buffer.from(handle, 'base64url')
    const same = bytes.subarray(5).filter((byte, index) => next[index + 5] === byte)
    assert.ok(same.length < bytes.length / 8, `${same.length} of ${bytes.length}`)
  })
})

// Made once with this very key, and not to change: see the test that uses it.
const GOLDEN =
  'AWySPARzH6TWZWOHrEl6DuCqR_jalL-zV6PAVFIkwfNq28fvRqJrlE4OwOVAzMcHZyq1AXbnRm0irX5dC1-j8JzmHNgp67Bie1XChXmOt-QC7jZvmEHuOb_-c-91EJnV'

describe('two grants never share a handle:', () => {
  const CASES = [
    { name: 'of two routes', input: { route: 'dashboard' } },
    { name: 'of two CAs', input: { authority: 'other' } },
    { name: 'of two authenticators', input: { authenticator: 'guests' } },
    { name: 'of two users', input: { subject: subjectOf(['CN', 'bob'], ['O', 'developers']) } },
    {
      name: 'of a user and a group of that name',
      input: { subject: subjectOf(['O', 'alice'], ['CN', 'developers']) },
    },
    {
      name: 'of two groups and one that looks like them',
      input: { subject: subjectOf(['CN', 'alice'], ['O', 'developers,O=ops']) },
    },
    {
      name: 'of two orders of groups',
      input: { subject: subjectOf(['CN', 'alice'], ['O', 'ops'], ['O', 'developers']) },
    },
    { name: 'of two usages', input: { extensions: [] } },
    { name: 'of two notBefore times', input: { notBefore: 0 } },
    { name: 'of two notAfter times', input: { notAfter: grantOf().notAfter + 1 } },
    { name: 'of two renewal times', input: { renewAt: grantOf().renewAt + 1 } },
    // A text that runs from one field into the next.
    {
      name: 'of fields that are equal when joined',
      input: { route: 'kubernetess', authenticator: 'taff' },
    },
  ]
  for (const { name, input } of CASES) {
    it(name, () => assert.notEqual(sealed(grantOf(input), KEY), handle))
  }

  it('of all of these', () => {
    const handles = CASES.map(({ input }) => sealed(grantOf(input), KEY))
    assert.equal(new Set([...handles, handle]).size, CASES.length + 1)
  })
})

describe('the keyring of grants', () => {
  it('seals with its first key and opens with all', () => {
    const old = new GrantSeal([KEY])
    const both = new GrantSeal([OTHER, KEY])
    const known = new GrantSeal([KEY, OTHER])
    // The order of a rotation: known everywhere, then used, then alone.
    assert.equal(sealed(grantOf(), KEY, OTHER), sealed(grantOf(), KEY))
    assert.notEqual(sealed(grantOf(), OTHER, KEY), sealed(grantOf(), KEY))
    for (const opener of [known, both]) {
      for (const sealer of [KEY, OTHER]) {
        assert.equal(opener.open(sealed(grantOf(), sealer)).outcome, 'opened')
      }
    }
    assert.equal(codeOf(old.open(sealed(grantOf(), OTHER, KEY))), 'grant-key-unknown')
  })

  it('cannot be empty', () => {
    assert.throws(() => new GrantSeal([]), TypeError)
  })
})

describe('the size of a certificate handle', () => {
  // 5 bytes of header and 16 of tag, 4 characters for 3 bytes: 6,000 characters hold 4,479 bytes.
  const grantOfBytes = (bytes: number) => {
    const padding = bytes - encodeGrant(grantOf({ subject: Buffer.alloc(1_000) })).length
    const grant = grantOf({ subject: Buffer.alloc(1_000 + padding) })
    assert.equal(encodeGrant(grant).length, bytes)
    return grant
  }

  it('is at most 6,000 characters', () => {
    const longest = sealed(grantOfBytes(4_479), KEY)
    assert.equal(longest.length, 6_000)
    assert.deepEqual(seal.open(longest), { outcome: 'opened', grant: grantOfBytes(4_479) })
  })

  it('beyond that is refused when sealing and when opening', () => {
    const tooLarge: Sealing = { outcome: 'too-large' }
    assert.deepEqual(seal.seal(grantOfBytes(4_480)), tooLarge)
    assert.deepEqual(seal.seal(grantOf({ subject: Buffer.alloc(100_000) })), tooLarge)
    const smuggled = sealedBytes(encodeGrant(grantOfBytes(4_480)), KEY)
    assert.ok(smuggled.length > 6_000)
    assert.equal(codeOf(seal.open(smuggled)), 'handle-malformed')
  })
})

describe('the digest of a certificate handle', () => {
  it('is sixteen hexadecimal digits of its SHA-256', () => {
    const digest = handleDigest(handle)
    assert.equal(digest, createHash('sha256').update(handle).digest('hex').slice(0, 16))
    assert.match(digest, /^[0-9a-f]{16}$/)
    assert.notEqual(digest, handleDigest(sealed(grantOf({ route: 'x' }), KEY)))
  })
})
