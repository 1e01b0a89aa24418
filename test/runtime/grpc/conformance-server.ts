// A server of unary calls for the conformance suite, and a client of another make.

import { Client, credentials, Metadata, type StatusObject } from '@grpc/grpc-js'
import type { GrpcServerKind, GrpcServerOptions } from '../../../src/runtime/grpc/grpc-server.ts'
import { startGrpcServer } from '../../../src/runtime/grpc/server.ts'
import { abortWith, type UnaryCall, type UnaryMethod } from '../../../src/runtime/grpc/unary.ts'
import type { MaybePromise } from '../../../src/runtime/maybe-promise.ts'
import { targetOf, type ListenAddress } from '../../../src/runtime/listen.ts'
import { memoryLogger } from '../../fakes/logger.ts'
import { temporaryFolder } from '../../servers/temporary.ts'

/** The method that the handler of the test serves. */
export const METHOD = '/test.Test/Call'

/** What the method of a test does. */
export type TestHandler = (message: Buffer, call: UnaryCall) => MaybePromise<Uint8Array>

const methodOf = (handle: TestHandler): UnaryMethod => ({
  path: METHOD,
  handle: (message, call) => {
    const answer = handle(message, call)
    if (answer instanceof Promise) void answer.then((later) => call.answer(later))
    else call.answer(answer)
  },
})

/** A running server and its client. */
export interface TestServer extends AsyncDisposable {
  readonly client: TestClient
  readonly address: ListenAddress
  /** The path of its UNIX socket. */
  readonly path: string
  readonly log: readonly string[]
  /** Stops the server alone. */
  stop(): Promise<void>
}

/** Starts a server on a UNIX socket. */
export const startTestServer = async (
  server: GrpcServerKind,
  handle: TestHandler,
  more: Partial<GrpcServerOptions> = {},
): Promise<TestServer> => {
  await using stack = new AsyncDisposableStack()
  const folder = stack.use(await temporaryFolder())
  const { logger, lines } = memoryLogger()
  const path = folder.file('test.sock')
  const running = await startGrpcServer({
    server,
    address: { kind: 'unix', path },
    mode: 0o600,
    tls: undefined,
    methods: [methodOf(handle)],
    grace: 5_000,
    logger,
    ...more,
  })
  let stopping: Promise<void> | undefined
  const stop = async (): Promise<void> => {
    stopping ??= Promise.resolve(running[Symbol.asyncDispose]())
    await stopping
  }
  stack.defer(stop)
  const client = stack.use(new TestClient(running.address))
  const owned = stack.move()
  return {
    client,
    address: running.address,
    path,
    log: lines,
    stop,
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}

/** How a call ended. */
interface CallEnd {
  readonly code: number
  readonly details: string
  readonly answer: Buffer | undefined
}

const asIs = (bytes: Buffer): Buffer => bytes

/** A client on grpc-js. */
class TestClient implements Disposable {
  readonly #client: Client

  constructor(address: ListenAddress) {
    this.#client = new Client(targetOf(address), credentials.createInsecure(), {
      'grpc.max_receive_message_length': 16_777_216,
      'grpc.max_send_message_length': 16_777_216,
    })
  }

  /** Starts a call; `cancel` ends it from this side. */
  start(
    message: Buffer,
    { path = METHOD, timeout }: { readonly path?: string; readonly timeout?: number } = {},
  ) {
    const { promise, resolve } = Promise.withResolvers<CallEnd>()
    let answer: Buffer | undefined
    const call = this.#client.makeUnaryRequest(
      path,
      asIs,
      asIs,
      message,
      new Metadata(),
      timeout === undefined ? {} : { deadline: Date.now() + timeout },
      (_error, value) => {
        answer = value
      },
    )
    call.on('status', ({ code, details }: StatusObject) => {
      setImmediate(() => resolve({ code, details, answer }))
    })
    return { ended: promise, cancel: () => call.cancel() }
  }

  /** A call from its beginning to its end. */
  async call(
    message: Buffer,
    options?: { readonly path?: string; readonly timeout?: number },
  ): Promise<CallEnd> {
    return await this.start(message, options).ended
  }

  [Symbol.dispose](): void {
    this.#client.close()
  }
}

/** A signal that is aborted as the one of a check is, until it is disposed of. */
export const signalOf = (call: UnaryCall): Disposable & { readonly signal: AbortSignal } => {
  const controller = new AbortController()
  const stop = abortWith(controller, call)
  return { signal: controller.signal, [Symbol.dispose]: stop }
}

/** A promise of the reason with which such a signal is aborted. */
export const abortionOf = async (call: UnaryCall): Promise<unknown> => {
  using watched = signalOf(call)
  const { signal } = watched
  const { promise, resolve } = Promise.withResolvers<unknown>()
  signal.addEventListener('abort', () => resolve(signal.reason), { once: true })
  return await promise
}
