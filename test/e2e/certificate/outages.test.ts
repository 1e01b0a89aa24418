import assert from 'node:assert/strict'
import { copyFile, readFile, writeFile } from 'node:fs/promises'
import { after, before, describe, it, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { until } from '../../fakes/until.ts'
import { http1 } from '../../servers/client.ts'
import { skipWithoutEnvoy } from '../../servers/envoy.ts'
import { createAuthority, type Authority } from '../../servers/pki.ts'
import { basic, startCertificateSite, type CertificateSite } from '../certificate-site.ts'
import { eventually } from '../site.ts'

const CONNECT_TIMEOUT_MS = 1_000
const SLACK_MS = 1_500

const users = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`user-${index}`, {}]))

const site = async (options: Parameters<typeof startCertificateSite>[0] = {}) =>
  await startCertificateSite({
    users,
    upstream: { connectTimeout: `${CONNECT_TIMEOUT_MS}ms` },
    // Each identity's is renewed at half of it, at a time of its own: hardly ever while a test runs.
    certificate: { lifetime: '20h' },
    concurrency: 1,
    ...options,
  })

const statusOf = async (running: CertificateSite, user: number): Promise<number> =>
  (await http1(running.target, { headers: [basic(`user-${user}`)] })).status

/** Sends one request; the upstream must not name another user. */
const subjectOf = async (running: CertificateSite, user: number): Promise<string> => {
  const { status, body } = await http1(running.target, { headers: [basic(`user-${user}`)] })
  if (status !== 200) return String(status)
  const { subject }: { subject: string } = JSON.parse(body)
  assert.equal(subject, `CN=user-${user}`)
  return subject
}

describe('an outage of the signer', { skip: skipWithoutEnvoy() }, () => {
  let running: CertificateSite
  before(async () => {
    running = await site()
    assert.equal(await statusOf(running, 0), 200)
  })
  after(() => running[Symbol.asyncDispose]())

  it('1. a silent signer: new callers get 503 at the connect timeout, known ones continue', async () => {
    running.signer.signal('SIGSTOP')
    try {
      const began = performance.now()
      assert.equal(await statusOf(running, 1), 503)
      const took = performance.now() - began
      assert.ok(took >= CONNECT_TIMEOUT_MS - 50, `${took} ms`)
      assert.ok(took < CONNECT_TIMEOUT_MS + SLACK_MS, `${took} ms`)
      assert.equal(await statusOf(running, 0), 200)
    } finally {
      running.signer.signal('SIGCONT')
    }
  })

  it('2. a signer that answers again: the same callers are served at once', async () => {
    await eventually(
      () => statusOf(running, 1),
      (status) => status === 200,
      3_000,
    )
  })

  it('3. a killed signer: new callers get 503, known ones continue', async () => {
    await running.signer.end('SIGKILL')
    assert.equal(await statusOf(running, 2), 503)
    assert.equal(await statusOf(running, 0), 200)
  })

  it('4. a signer that is started again: recovers, and mints no certificate that Envoy still has', async (t) => {
    const earlier = (await running.issuances()).length
    await running.signer.start()
    const began = performance.now()
    await eventually(
      () => statusOf(running, 2),
      (status) => status === 200,
    )
    t.diagnostic(`recovered ${Math.round(performance.now() - began)} ms after the start`)
    await sleep(2_500) // Envoy comes back with every name that it holds within two seconds
    const issued = (await running.issuances())
      .slice(earlier)
      .filter((event) => event.event === 'certificate-issued')
    assert.deepEqual(
      issued.map(({ subject }) => subject),
      ['CN=user-2'],
    )
  })
})

/** Puts other keys into the keyring, and waits until both sides have read it. */
const replaceKeyring = async (running: CertificateSite, text: string): Promise<void> => {
  const loads = async () =>
    [await running.events(), await running.issuances()].map(
      (events) => events.filter(({ event }) => event === 'configuration-loaded').length,
    )
  const earlier = await loads()
  await writeFile(running.files.keyring, text)
  await until(async () => (await loads()).every((count, side) => count > (earlier[side] ?? 0)))
}

describe('changes of the signer under load', { skip: skipWithoutEnvoy() }, () => {
  /** Sends one request after another, of old and of new callers, while something happens. */
  const during = async (
    running: CertificateSite,
    t: TestContext,
    happens: (turn: () => Promise<void>) => Promise<void>,
  ): Promise<
    readonly { readonly user: number; readonly subject: string; readonly at: number }[]
  > => {
    const answers: { user: number; subject: string; at: number }[] = []
    const end = new AbortController()
    let next = 20
    const caller = async (first: number): Promise<void> => {
      for (let turn = 0; !end.signal.aborted; turn++) {
        const user = turn % 10 === 9 ? next++ % 200 : first
        const subject = await subjectOf(running, user)
        answers.push({ user, subject, at: performance.now() })
      }
    }
    const callers = Array.from({ length: 10 }, (_, index) => caller(index))
    /** Each caller has sent a whole request since. */
    const turn = async (): Promise<void> => {
      const from = answers.length + 1
      const sent = (user: number) => answers.slice(from).filter((answer) => answer.user === user)
      await until(() => callers.every((_, user) => sent(user).length >= 2))
    }
    await sleep(1_000)
    await happens(turn)
    await sleep(3_000)
    end.abort()
    await Promise.all(callers)
    const refused = answers.filter(({ subject }) => subject === '503')
    t.diagnostic(`${answers.length} requests, ${refused.length} answered 503`)
    return answers
  }

  const refusals = (answers: readonly { readonly subject: string }[]): number =>
    answers.filter(({ subject }) => !subject.startsWith('CN=')).length

  it('5. killed and restarted: only callers without a certificate wait, and no identity is mistaken', async (t) => {
    await using running = await site()
    let began = 0
    const answers = await during(running, t, async () => {
      await running.signer.end('SIGKILL')
      began = performance.now()
      await running.signer.start()
    })
    const refused = answers.filter(({ subject }) => subject === '503')
    assert.equal(refusals(answers), refused.length)
    assert.ok(refused.every(({ user }) => user >= 20))
    assert.ok(refused.length <= 30, `${refused.length} refusals`)
    const last = Math.max(began, ...refused.map(({ at }) => at))
    t.diagnostic(`the last 503 came ${Math.round(last - began)} ms after the kill`)
    assert.ok(last - began < 5_000)
  })

  it('6. the keyring rotated in three steps: no request fails', async (t) => {
    await using running = await site()
    const { keyring } = running.files
    const old = await readFile(keyring, 'utf8')
    const fresh = `${newGrantKeyLine()}\n`
    const handles = async () =>
      new Set((await running.decisions()).map(({ handle }) => handle)).size
    const answers = await during(running, t, async (turn) => {
      await replaceKeyring(running, old + fresh)
      await replaceKeyring(running, fresh + old)
      await turn() // Envoy may hold a handle of the old key in a request.
      await replaceKeyring(running, fresh)
    })
    assert.equal(refusals(answers), 0)
    // Every user has a handle of the new key.
    assert.ok((await handles()) >= 20)
  })

  it('7. the keyring replaced in one step: requests are refused only until both have read it', async (t) => {
    await using running = await site()
    let began = 0
    const answers = await during(running, t, async () => {
      began = performance.now()
      await writeFile(running.files.keyring, `${newGrantKeyLine()}\n`)
    })
    const refused = answers.filter(({ subject }) => subject === '503')
    assert.equal(refusals(answers), refused.length)
    assert.ok(refused.every(({ at }) => at - began < 1_500))
  })

  it('8. the CA replaced: new certificates are issued by the new one, and no request is refused', async (t) => {
    await using other = await createAuthority('Second minting CA')
    await using running = await site({ trusted: await readFile(other.ca, 'utf8') })
    const answers = await during(running, t, () => replaceAuthority(running, other))
    assert.equal(refusals(answers), 0)
    const issuers = new Map(
      running.upstream.requests.map(({ subject, issuer }) => [subject, issuer]),
    )
    // Who has a certificate keeps it until its slot ends, which may be now for one or another.
    const kept = Array.from({ length: 10 }, (_, user) => issuers.get(`CN=user-${user}`)).filter(
      (issuer) => issuer === 'CN=Minting CA',
    )
    assert.ok(kept.length >= 8, `${kept.length} of 10 kept their certificate`)
    assert.equal(await subjectOf(running, 199), 'CN=user-199')
    assert.equal(running.upstream.requests.at(-1)?.issuer, 'CN=Second minting CA')
  })

  it('9. a CA key that does not fit is refused: the previous one stays in use', async () => {
    await using other = await createAuthority('Second minting CA')
    await using running = await site()
    await copyFile(other.key, running.minting.key)
    await eventually(
      async () => (await running.issuances()).map(({ event }) => event),
      (events) => events.includes('configuration-rejected'),
    )
    assert.equal(await statusOf(running, 3), 200)
  })
})

/** Puts another CA in the place of the minting one, the key first: for a moment they do not fit. */
const replaceAuthority = async ({ minting }: CertificateSite, other: Authority): Promise<void> => {
  await copyFile(other.key, minting.key)
  await copyFile(other.ca, minting.ca)
}
