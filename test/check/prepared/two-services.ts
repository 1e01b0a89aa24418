// Two services for one check: one that has answered other checks before, with everything that it keeps, and one that has not.

import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { stringify } from 'yaml'
import type { DecisionSink } from '../../../src/audit/sink.ts'
import { auditLine } from '../../../src/audit/line.ts'
import { processResources } from '../../../src/check/resources.ts'
import { checkMethod } from '../../../src/check/service.ts'
import { buildSnapshot, type Snapshot } from '../../../src/check/snapshot.ts'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { newGrantKeyLine } from '../../../src/keys/grant-keys.ts'
import { authorizationService } from '../../../src/proto/load.ts'
import {
  claimsOf,
  jwksOf,
  makeKey,
  NOW,
  type IssuerKey,
} from '../../authenticate/bearer/issuing.ts'
import { FakeClock } from '../../fakes/clock.ts'
import { messageOf } from '../../fakes/envoy-client.ts'
import type { RequestParts } from '../../fakes/envoy.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { temporaryFolder, type TemporaryFolder } from '../../servers/temporary.ts'

/** Everything that an answer and its event can depend on. */
export interface Circumstances {
  readonly configuration: object
  /** The number of the configuration. */
  readonly generation: number
  readonly request: RequestParts
  /** Of the token. */
  readonly claims: Readonly<Record<string, unknown>>
  /** Since the start, in milliseconds. */
  readonly at: number
}

/** The result of a check, without what is random or differs by process. */
interface Result {
  /** The CheckResponse. */
  readonly answer: unknown
  /** The audit line. */
  readonly event: unknown
}

/** The key of the issuer, and another one that it could publish. */
export interface Site extends AsyncDisposable {
  /** A service that keeps what it has made. */
  warm(): Service
  /** The result of a service that answers nothing else. */
  cold(circumstances: Circumstances): Promise<Result>
}

/** A service, whose clock is set by each check. */
interface Service extends AsyncDisposable {
  check(circumstances: Circumstances): Promise<Result>
}

/** Makes the files of all services. */
export const openSite = async (): Promise<Site> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const key = await makeKey()
  const PRIVATE = { mode: 0o600 }
  await writeFile(folder.file('keys.json'), jwksOf(key))
  await writeFile(folder.file('other-keys.json'), jwksOf(await makeKey()))
  await writeFile(folder.file('both-keys.json'), jwksOf(key, await makeKey('ES256', 'k2')))
  await writeFile(folder.file('grant.keys'), newGrantKeyLine(), PRIVATE)
  const tokens = new Tokens(key)
  const running = stack.move()
  return {
    warm: () => new RunningService(folder, tokens),
    async cold(circumstances) {
      await using service = new RunningService(folder, tokens)
      return await service.check(circumstances)
    },
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  }
}

/** One token for equal claims: signatures are random. */
class Tokens {
  readonly #key: IssuerKey
  readonly #made = new Map<string, Promise<string>>()

  constructor(key: IssuerKey) {
    this.#key = key
  }

  of(claims: Circumstances['claims']): Promise<string> {
    const text = JSON.stringify(claims)
    const known = this.#made.get(text)
    if (known !== undefined) return known
    const made = this.#key.token(claimsOf(claims))
    this.#made.set(text, made)
    return made
  }
}

let files = 0

class RunningService implements Service {
  readonly #folder: TemporaryFolder
  readonly #tokens: Tokens
  readonly #stack = new AsyncDisposableStack()
  readonly #clock = new FakeClock(NOW * 1_000)
  readonly #resources = this.#stack.use(processResources(this.#clock, memoryLogger().logger))
  readonly #snapshots = new Map<object, Promise<Snapshot>>()
  readonly #lines: string[] = []
  readonly #method
  #current: { readonly value: Snapshot; readonly generation: number } | undefined

  constructor(folder: TemporaryFolder, tokens: Tokens) {
    this.#folder = folder
    this.#tokens = tokens
    const audit: DecisionSink = {
      record: (event, done) => {
        this.#lines.push(`${auditLine(event, this.#clock.now())}}`)
        done(undefined)
      },
      flush() {},
    }
    this.#method = checkMethod({
      current: () => {
        assert.ok(this.#current)
        return this.#current
      },
      audit,
      clock: this.#clock,
      logger: memoryLogger().logger,
    })
  }

  async check({ configuration, generation, request, claims, at }: Circumstances): Promise<Result> {
    this.#clock.advance(at - this.#clock.monotonic())
    this.#current = { value: await this.#snapshotOf(configuration), generation }
    const headers = [
      ['authorization', `Bearer ${await this.#tokens.of(claims)}`] as const,
      ...(request.headers ?? []),
    ]
    const { promise, resolve } = Promise.withResolvers<Buffer>()
    this.#method.handle(messageOf({ ...request, headers }), {
      deadline: Number.POSITIVE_INFINITY,
      answer: (message) => resolve(Buffer.from(message)),
      onCancelled() {},
    })
    return resultOf(await promise, this.#lines.splice(0))
  }

  #snapshotOf(configuration: object): Promise<Snapshot> {
    const known = this.#snapshots.get(configuration)
    if (known !== undefined) return known
    const built = this.#build(configuration)
    this.#snapshots.set(configuration, built)
    return built
  }

  async #build(configuration: object): Promise<Snapshot> {
    const file = this.#folder.file(`countersign-${(files += 1)}.yaml`)
    await writeFile(file, stringify(configuration, { aliasDuplicateObjects: false }))
    return this.#stack.use(await buildSnapshot(file, new ConfigurationFiles(), this.#resources))
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}

const ID = /[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/

/** The decision id is random, and the fingerprint of a credential has a secret of the process in it. */
const resultOf = (answer: Buffer, lines: readonly string[]): Result => {
  assert.equal(lines.length, 1)
  const [line = ''] = lines
  const id = ID.exec(line)?.[0] ?? ''
  const text = JSON.stringify(authorizationService.Check.responseDeserialize(answer))
  assert.ok(text.includes(id), `the answer has another decision id than ${line}`)
  const answered: unknown = JSON.parse(text.replaceAll(id, 'ID'))
  const event: unknown = JSON.parse(
    line.replaceAll(id, 'ID').replace(/"credential":"[^"]*"/, '"credential":"FINGERPRINT"'),
  )
  return { answer: answered, event }
}
