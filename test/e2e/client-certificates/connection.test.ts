import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { encodeGeneralNames } from '../../../src/x509/general-names.ts'
import { EXTENSIONS, PURPOSES } from '../../../src/x509/oid.ts'
import { DAY, nameOf } from '../../pki/making.ts'
import { http1, http2, valuesOf } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'
import { send, verdictOf, verdictOn } from '../asking.ts'
import {
  ALICE,
  basic,
  eventually,
  HOST,
  received,
  receivedBy,
  startSite,
  type Site,
} from '../site.ts'
import { as, makeCa, makeCaller, now, writePem, type Caller } from './callers.ts'
import { reconfigure } from './changing.ts'
import { configurationOf, startFurtherEnvoy, VALIDATION, type FurtherEnvoy } from './envoys.ts'

const root = makeCa('Staff CA')
const issuing = makeCa('Staff issuing CA', root)
const partner = makeCa('Partner CA')
const stranger = makeCa('Staff CA') // of the same name

const BADGE = '1.3.6.1.4.1.99999.1'

describe('client certificates, through Envoy', { skip: skipWithoutEnvoy() }, () => {
  let folder: TemporaryFolder
  let site: Site
  let trust: string
  let alice: Caller
  before(async () => {
    folder = await temporaryFolder()
    trust = await writePem(folder, 'trust.pem', root)
    site = await startSite({
      authenticators: { cards: { certificate: { trust } } },
      route: { authenticate: ['cards', 'staff'] },
      // Envoy takes more than authz does.
      listener: { clientCa: await writePem(folder, 'edge.pem', root, partner) },
    })
    alice = await caller({ signer: root })
  })
  after(async () => {
    await site[Symbol.asyncDispose]()
    await folder[Symbol.asyncDispose]()
  })

  const caller = (
    wish: Parameters<typeof makeCaller>[1],
    ...chain: Parameters<typeof writePem>[2][]
  ) => makeCaller(folder, wish, chain)

  describe('client certificates of the connection', () => {
    it('name the user by CN and O, over HTTP/1.1 and HTTP/2', async () => {
      const subject = nameOf(['O', 'dev'], ['O', 'with, comma'], ['CN', 'Jürgen'])
      const holder = await caller({ signer: root, subject })
      for (const ask of [http1, http2]) {
        const answer = await ask(as(site, holder).target, { host: HOST })
        assert.equal(answer.status, 200, answer.body)
        assert.deepEqual(received(answer, 'x-remote-user'), [latin1('Jürgen')])
        assert.deepEqual(received(answer, 'x-remote-group'), ['dev', 'with, comma'])
        const names = receivedBy(answer).map(([name]) => name)
        assert.ok(!names.some((name) => name.includes('client-cert')), names.join())
        const event = (await site.events()).at(-1)
        assert.equal(event?.authenticator, 'cards')
        assert.equal(event.authentication, 'certificate')
        assert.equal(event.user, 'Jürgen')
        const { proven, serial, fingerprint, subject: presented, issuer } = { ...event.presented }
        assert.deepEqual(
          { proven, serial, fingerprint },
          { proven: true, serial: holder.serial, fingerprint: holder.fingerprint },
        )
        assert.equal(presented, 'CN=Jürgen,O=with\\, comma,O=dev')
        assert.match(issuer ?? '', /^CN=/)
      }
    })

    it('may be missing: then a password is accepted', async () => {
      assert.equal(await verdictOn(site, ALICE), '200 permitted')
      assert.equal((await site.events()).at(-1)?.authenticator, 'staff')
      const answer = await send(site)
      assert.equal(await verdictOf(site, answer), '401 credential-missing')
      assert.deepEqual(valuesOf(answer, 'www-authenticate'), [
        'Basic realm="Site", charset="UTF-8"',
      ])
    })

    it('decide before a password in the same request, whether that is correct or wrong', async () => {
      const carol = as(site, await caller({ signer: root, subject: nameOf(['CN', 'carol']) }))
      for (const line of [ALICE, basic('alice', 'wrong'), ['Authorization', 'Bearer x'] as const]) {
        const answer = await send(carol, line)
        assert.equal(await verdictOf(site, answer), '200 permitted')
        assert.deepEqual(received(answer, 'x-remote-user'), ['carol'])
        assert.deepEqual(received(answer, 'authorization'), [])
      }
    })

    it('with a reserved group are refused', async () => {
      const subject = nameOf(['O', 'system:masters'], ['CN', 'root'])
      const holder = await caller({ signer: root, subject })
      assert.equal(await verdictOn(as(site, holder)), '403 identity-reserved')
    })
  })

  describe('client certificates that Envoy refuses in the handshake', () => {
    const CASES: readonly {
      readonly name: string
      readonly make: () => Promise<Caller>
    }[] = [
      {
        name: 'an issuer of the same name and another key',
        make: () => caller({ signer: stranger }),
      },
      { name: 'a signature with another key', make: () => caller({}) },
      {
        name: 'an intermediate that was not sent',
        make: () => caller({ signer: issuing }),
      },
      {
        name: 'a validity that has ended',
        make: () => caller({ signer: root, notAfter: now() - 60 }),
      },
      {
        name: 'a validity that has not begun',
        make: () => caller({ signer: root, notBefore: now() + DAY }),
      },
      {
        name: 'an extended key usage for servers only',
        make: () => caller({ signer: root, purposes: [PURPOSES.serverAuth] }),
      },
    ]
    /** Handshakes that Envoy has ended for the caller’s certificate. */
    const refusals = async (): Promise<number> => {
      const found = await site.envoy.admin('/stats?filter=^listener.*ssl.fail_verify_error')
      return Number(/: (\d+)/.exec(found)?.[1])
    }

    for (const { name, make } of CASES) {
      it(`are those with ${name}: no answer, and no check`, async () => {
        const earlier = (await site.events()).length
        const refused = await refusals()
        const { target } = as(site, await make())
        for (const ask of [http1, http2]) {
          await assert.rejects(ask(target, { host: HOST, headers: [ALICE] }))
        }
        await eventually(refusals, (count) => count === refused + 2)
        assert.equal((await site.events()).length, earlier)
      })
    }
  })

  describe('client certificates that Envoy accepts', () => {
    it('are refused by authz where only Envoy trusts their CA, whatever the password', async () => {
      const visitor = as(site, await caller({ signer: partner }))
      assert.equal(await verdictOn(visitor), '401 certificate-untrusted')
      assert.equal((await site.events()).at(-1)?.authenticator, 'cards')
      assert.equal((await site.events()).at(-1)?.user, 'alice')
      assert.equal(await verdictOn(visitor, ALICE), '401 certificate-untrusted')
    })

    it('are refused by authz without an extended key usage', async () => {
      const holder = as(site, await caller({ signer: root, purposes: undefined }))
      assert.equal(await verdictOn(holder), '401 certificate-purpose')
    })

    it('of an intermediate are refused until authz has it, since Envoy does not forward it', async () => {
      const holder = as(site, await caller({ signer: issuing }, issuing))
      assert.equal(await verdictOn(holder), '401 certificate-untrusted')
      const intermediates = await writePem(folder, 'intermediates.pem', issuing)
      await reconfigure(site, {
        authenticators: { cards: { certificate: { trust, intermediates } } },
      })
      assert.equal(await verdictOn(holder), '200 permitted')
      assert.equal(await verdictOn(as(site, alice)), '200 permitted')
    })
  })

  describe('client certificates of an Envoy with ACCEPT_UNTRUSTED', () => {
    let lenient: FurtherEnvoy
    before(async () => {
      lenient = await startFurtherEnvoy(site, await configurationOf(site), [
        [[...VALIDATION, 'trust_chain_verification'], 'ACCEPT_UNTRUSTED'],
      ])
    })
    after(() => lenient[Symbol.asyncDispose]())

    const CASES: readonly {
      readonly name: string
      readonly make: () => Promise<Caller>
      readonly verdict: string
    }[] = [
      { name: 'a valid one', make: () => caller({ signer: root }), verdict: '200 permitted' },
      {
        name: 'an issuer of the same name and another key',
        make: () => caller({ signer: stranger }),
        verdict: '401 certificate-untrusted',
      },
      {
        name: 'a signature with another key',
        make: () => caller({}),
        verdict: '401 certificate-untrusted',
      },
      {
        name: 'a validity that has ended',
        make: () => caller({ signer: root, notAfter: now() - 60 }),
        verdict: '401 certificate-expired',
      },
      {
        name: 'a validity that has not begun',
        make: () => caller({ signer: root, notBefore: now() + DAY }),
        verdict: '401 certificate-not-yet-valid',
      },
      {
        name: 'an extended key usage for servers only',
        make: () => caller({ signer: root, purposes: [PURPOSES.serverAuth] }),
        verdict: '401 certificate-purpose',
      },
      {
        name: 'no extended key usage',
        make: () => caller({ signer: root, purposes: undefined }),
        verdict: '401 certificate-purpose',
      },
      {
        name: 'a broken signature (hostile)',
        make: () => caller({ signer: root, breakSignature: true }),
        verdict: '401 certificate-untrusted',
      },
      {
        name: 'a NUL in a name (hostile)',
        make: () => caller({ signer: root, subject: nameOf(['CN', 'root\0.example.org']) }),
        verdict: '401 credential-malformed',
      },
    ]
    for (const { name, make, verdict } of CASES) {
      it(`with ${name}: ${verdict}`, async () => {
        site.upstream.clear()
        const holder = as({ ...site, target: lenient.target }, await make())
        assert.equal(await verdictOn(holder, ALICE), verdict)
        assert.equal(site.upstream.requests.length, verdict.startsWith('200') ? 1 : 0)
      })
    }
  })

  describe('client certificates mapped by expressions', () => {
    const NAMES = {
      email: 'alice@example.org',
      uri: 'spiffe://example.org/alice',
      upn: 'alice@corp.example.org',
    }
    let rich: Caller
    before(async () => {
      rich = await caller({
        signer: root,
        extensions: [
          {
            oid: EXTENSIONS.subjectAltName,
            critical: false,
            value: encodeGeneralNames([
              { kind: 'uri', value: NAMES.uri },
              { kind: 'email', value: NAMES.email },
              { kind: 'upn', value: NAMES.upn },
            ]),
          },
          { oid: BADGE, critical: false, value: Buffer.from('0c0568656c6c6f', 'hex') },
        ],
      })
      await reconfigure(site, {
        authenticators: {
          cards: {
            certificate: { trust },
            identity: {
              user: 'certificate.emails[0]',
              uid: 'certificate.serial',
              groups: 'certificate.upns + certificate.uris',
              extra: {
                fingerprint: 'certificate.fingerprint',
                badge: `certificate.extensions["${BADGE}"]`,
                issuer: 'certificate.issuerName',
              },
            },
          },
        },
      })
    })

    it('give alternative names, serial number, fingerprint and extensions', async () => {
      const answer = await send(as(site, rich))
      assert.equal(answer.status, 200, answer.body)
      assert.deepEqual(received(answer, 'x-remote-user'), [NAMES.email])
      assert.deepEqual(received(answer, 'x-remote-uid'), [rich.serial])
      assert.deepEqual(received(answer, 'x-remote-group'), [NAMES.upn, NAMES.uri])
      assert.deepEqual(received(answer, 'x-remote-extra-fingerprint'), [rich.fingerprint])
      assert.deepEqual(received(answer, 'x-remote-extra-badge'), ['DAVoZWxsbw=='])
      assert.deepEqual(received(answer, 'x-remote-extra-issuer'), ['CN=Staff CA'])
    })

    it('are refused where they lack what the mapping needs', async () => {
      assert.equal(await verdictOn(as(site, alice)), '403 identity-unmapped')
    })
  })
})

/** UTF-8 as a client of Node’s reads it. */
const latin1 = (text: string): string => Buffer.from(text).toString('latin1')
