// What is not issued, by its code; and that a refusal is a refusal although nothing can be written.

import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { readAuthorityChain } from '../../src/ca/authority-certificate.ts'
import { encodeGrant, type Grant } from '../../src/grant/grant.ts'
import { handleDigest } from '../../src/grant/handle.ts'
import { RemoteCa } from '../fakes/certificate-authority.ts'
import { grantOf, makeGrantKey, NOW_S, sealed, sealedBytes, subjectOf } from '../fakes/grant.ts'
import { encodeGeneralNames } from '../../src/x509/general-names.ts'
import { EXTENSIONS } from '../../src/x509/oid.ts'
import { makeCa } from './authorities.ts'
import { Issuing, issuing } from './issuing.ts'

const flipped = (handle: string, at: number): string => {
  const bytes = Buffer.from(handle, 'base64url')
  bytes.writeUInt8(bytes.readUInt8(at) ^ 1, at)
  return bytes.toString('base64url')
}

describe('a refused certificate handle', () => {
  const CASES: readonly {
    readonly name: string
    readonly handle: (world: Issuing) => string
    readonly want: string
  }[] = [
    { name: 'is empty', handle: () => '', want: 'handle-malformed' },
    { name: 'is Envoy’s name for absent metadata', handle: () => '-', want: 'handle-malformed' },
    { name: 'is the name of another secret', handle: () => 'default', want: 'handle-malformed' },
    {
      name: 'is not base64url',
      handle: (world) => `${world.handle()}=`,
      want: 'handle-malformed',
    },
    {
      name: 'has another format',
      handle: (world) => flipped(world.handle(), 0),
      want: 'handle-malformed',
    },
    {
      name: 'has 1 MB',
      handle: () => 'A'.repeat(1_048_576),
      want: 'handle-malformed',
    },
    {
      name: 'was sealed with another keyring',
      handle: () => sealed(grantOf(), makeGrantKey()),
      want: 'grant-key-unknown',
    },
    {
      name: 'was sealed with another key under the same key id',
      handle: (world) => flipped(world.handle(), 5),
      want: 'grant-forged',
    },
    {
      name: 'has a changed last byte',
      handle: (world) =>
        flipped(world.handle(), Buffer.from(world.handle(), 'base64url').length - 1),
      want: 'grant-forged',
    },
    {
      name: 'is truncated',
      handle: (world) => world.handle().slice(0, -4),
      want: 'grant-forged',
    },
    {
      name: 'is for another CA',
      handle: (world) => world.handle({ authority: 'other' }),
      want: 'authority-unknown',
    },
    {
      name: 'is for a CA named like a property of Object',
      handle: (world) => world.handle({ authority: '__proto__' }),
      want: 'authority-unknown',
    },
    {
      name: 'has a subject outside the limits',
      handle: (world) => world.handle({ subject: subjectOf(['OU', 'x']) }),
      want: 'subject-refused',
    },
    {
      name: 'has O=system:masters',
      handle: (world) => world.handle({ subject: subjectOf(['O', 'system:masters']) }),
      want: 'value-reserved',
    },
    {
      name: 'has expired',
      handle: (world) => world.handle({ notAfter: NOW_S, renewAt: NOW_S }),
      want: 'grant-expired',
    },
    {
      name: 'is not yet valid',
      handle: (world) => world.handle({ notBefore: NOW_S + 3_000 }),
      want: 'grant-not-yet-valid',
    },
  ]
  for (const { name, handle, want } of CASES) {
    it(`is refused and recorded where it ${name}`, async () => {
      const world = await issuing()
      const presented = handle(world)
      assert.equal(await world.outcome(presented), want)
      const event = world.event()
      assert.equal(event.event, 'certificate-refused')
      assert.equal(event.reason, want)
      assert.equal(event.handle, handleDigest(presented))
    })
  }

  it('is recorded with the fields that are known', async () => {
    const world = await issuing()
    const handle = world.handle({ subject: subjectOf(['CN', 'a'.repeat(500)], ['OU', 'x']) })
    world.generation = 7
    await world.issue(handle)
    assert.deepEqual(world.event(), {
      event: 'certificate-refused',
      handle: handleDigest(handle),
      reason: 'subject-refused',
      authority: 'kube',
      route: 'kubernetes',
      authenticator: 'staff',
      detail: 'OU: x',
      generation: 7,
    })
  })

  it('is recorded with a bounded detail', async () => {
    const world = await issuing('{ subject: { CN: [] } }')
    await world.issue(world.handle({ subject: subjectOf(['CN', 'a'.repeat(1_000)]) }))
    const event = world.event()
    assert.equal(event.event === 'certificate-refused' && event.detail?.length, 200)
  })

  it('is recorded without control characters', async () => {
    const world = await issuing()
    await world.issue(world.handle({ subject: subjectOf(['CN', 'a\u009b2J\u202eb\n']) }))
    const event = world.event()
    assert.equal(
      event.event === 'certificate-refused' && event.detail,
      'CN: a\ufffd2J\ufffdb\ufffd',
    )
  })

  it('is not opened with the key of another name', async () => {
    const world = await issuing()
    const [ours, theirs] = [world.handle(), sealed(grantOf(), makeGrantKey())]
    const mixed = Buffer.concat([
      Buffer.from(ours, 'base64url').subarray(0, 5),
      Buffer.from(theirs, 'base64url').subarray(5),
    ])
    assert.equal(await world.outcome(mixed.toString('base64url')), 'grant-forged')
  })

  const encoded = encodeGrant(grantOf())
  const WITHIN: readonly { name: string; bytes: Buffer; want: string }[] = [
    {
      name: 'bytes that are not a grant',
      bytes: Buffer.from('not a message'),
      want: 'grant-malformed',
    },
    { name: 'a truncated grant', bytes: encoded.subarray(0, 10), want: 'grant-malformed' },
    { name: 'an empty grant', bytes: Buffer.from([0x08, 0x00]), want: 'authority-unknown' },
    { name: 'a valid grant', bytes: encoded, want: 'issued' },
  ]
  for (const { name, bytes, want } of WITHIN) {
    it(`is judged by its content: ${name}`, async () => {
      const world = await issuing()
      assert.equal(await world.outcome(sealedBytes(bytes, world.key)), want)
    })
  }
})

describe('an exceeded rate limit of the signer', () => {
  const ask = async (world: Issuing, user: string, more: Partial<Grant> = {}): Promise<string> =>
    await world.outcome(world.handle({ subject: subjectOf(['CN', user]), ...more }))

  it('refuses until time has passed', async () => {
    const world = await issuing('{ rate: { perSecond: 10, burst: 2 } }')
    const outcomes = [await ask(world, 'a'), await ask(world, 'b'), await ask(world, 'c')]
    assert.deepEqual(outcomes, ['issued', 'issued', 'rate-limited'])
    world.clock.advance(100)
    assert.equal(await ask(world, 'c'), 'issued')
  })

  it('does not count refused handles', async () => {
    const world = await issuing('{ rate: { perSecond: 1, burst: 1 } }')
    for (let round = 0; round < 5; round++) {
      assert.equal(await world.outcome(world.handle({ subject: subjectOf() })), 'subject-refused')
    }
    assert.equal(await world.outcome(), 'issued')
  })

  it('does not count one identity with different routes and times', async () => {
    const world = await issuing()
    let issued = 0
    for (let round = 0; round < 500; round++) {
      const more = { route: `route-${round % 50}`, notAfter: NOW_S + 1_801 + round }
      if ((await ask(world, 'mallory', more)) === 'issued') issued += 1
    }
    assert.equal(issued, 64)
    const event = world.audit.events.at(-1)
    assert.equal(event?.event === 'certificate-refused' && event.detail, 'identity-exceeded')
    for (let round = 0; round < 500; round++) {
      assert.equal(await ask(world, `user-${round}`), 'issued')
    }
    world.clock.advance(1_000)
    const again = [1, 2, 3, 4, 5].map((round) => ask(world, 'mallory', { route: `new-${round}` }))
    assert.equal((await Promise.all(again)).filter((outcome) => outcome === 'issued').length, 4)
  })

  it('distinguishes identities by their alternative names, too', async () => {
    const world = await issuing("{ subjectAltName: { uri: ['*'] } }")
    for (let round = 0; round < 200; round++) {
      const name = encodeGeneralNames([{ kind: 'uri', value: `spiffe://example/${round}` }])
      const extension = { oid: EXTENSIONS.subjectAltName, critical: false, value: name }
      const extensions = [...grantOf().extensions, extension]
      assert.equal(await ask(world, 'gateway', { extensions }), 'issued')
    }
  })
})

describe('a CA in another process', async () => {
  const ca = await makeCa()
  const remote = () =>
    new RemoteCa(readAuthorityChain(ca.certificate, NOW_S * 1_000).certificate, ca.key)

  it('issues certificates', async () =>
    assert.equal(await new Issuing(remote()).outcome(), 'issued'))

  it('a CA in another process that is down issues no certificate, and the log has the reason', async () => {
    const authority = remote()
    authority.conduct = 'unreachable'
    const world = new Issuing(authority)
    assert.equal(await world.outcome(), 'authority-unavailable')
    assert.match(world.lines.join(), /"level":50.*ECONNREFUSED.*CA did not sign/)
  })

  it('a CA in another process that signs another certificate issues none, which is an error in the log', async () => {
    const authority = remote()
    authority.conduct = 'signs-something-else'
    const world = new Issuing(authority)
    assert.equal(await world.outcome(), 'issued-mismatch')
    const event = world.event()
    assert.equal(
      event.event === 'certificate-refused' && event.detail,
      'its signature does not hold',
    )
    assert.match(world.lines.join(), /"level":50.*minted certificate differs from the request/)
  })
})

describe('a certificate that cannot be recorded', () => {
  it('is not sent', async () => {
    const world = await issuing()
    world.audit.full = true
    assert.equal(await world.outcome(), 'audit-unavailable')
    assert.match(world.lines.join(), /"level":50.*audit event lost/)
    world.audit.full = false
    assert.equal(await world.outcome(), 'issued')
  })

  it('is refused for its own reason, where it is refused', async () => {
    const world = await issuing()
    world.audit.full = true
    assert.equal(await world.outcome('nonsense'), 'handle-malformed')
  })
})

describe('a bug', () => {
  it('is a refusal, recorded and logged', async () => {
    const world = await issuing()
    world.onRefresh = () => {
      throw new TypeError('a bug')
    }
    assert.equal(await world.outcome(sealed(grantOf(), makeGrantKey())), 'internal-error')
    const event = world.event()
    assert.equal(event.event === 'certificate-refused' && event.reason, 'internal-error')
    assert.match(world.lines.join(), /"level":50.*a bug.*issuance failed/)
  })
})
