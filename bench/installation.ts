// Starts the processes that are measured, in one temporary folder.

import { writeFile } from 'node:fs/promises'
import { temporaryFolder, type TemporaryFolder } from '../test/servers/temporary.ts'
import { configuration, userNames, writeUsers, type HashCost } from './site.ts'
import { Service, type ServiceOptions } from './service.ts'

/** A running authorizer. */
export interface Authorizer {
  readonly worker: Service
  /** The path of its UNIX socket. */
  readonly socket: string
}

/** How to start an authz. */
export interface AuthzOptions {
  /** Names its files in the folder. */
  readonly name: string
  readonly users: string
  readonly cacheTtl: string
  readonly nodeOptions?: readonly string[]
  /** As of {@link ServiceOptions}. */
  readonly inside?: boolean
}

/** Everything that was started; disposing ends it. */
export class Installation implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack
  readonly #folder: TemporaryFolder

  private constructor(stack: AsyncDisposableStack, folder: TemporaryFolder) {
    this.#stack = stack
    this.#folder = folder
  }

  static async open(): Promise<Installation> {
    const stack = new AsyncDisposableStack()
    return new Installation(stack, stack.use(await temporaryFolder()))
  }

  /** The path of a file of that name. */
  file(name: string): string {
    return this.#folder.file(name)
  }

  /** Takes over what shall end with the rest. */
  use<T extends AsyncDisposable>(resource: T): T {
    return this.#stack.use(resource)
  }

  /** Writes a users file; gives its path. */
  async users(count: number, cost: HashCost): Promise<string> {
    const file = this.file(`users-${count}.yaml`)
    await writeUsers(file, userNames(count), cost)
    return file
  }

  /** Starts a service, which ends with the rest. */
  async service(options: ServiceOptions): Promise<Service> {
    return this.use(await Service.start(options))
  }

  /** Starts authz with {@link configuration}. */
  async authz({ name, users, cacheTtl, ...options }: AuthzOptions): Promise<Authorizer> {
    const socket = this.file(`${name}.sock`)
    const config = this.file(`${name}.yaml`)
    const audit = this.file(`${name}.jsonl`)
    await writeFile(config, configuration({ users, authz: socket, audit, cacheTtl }))
    const worker = await this.service({ command: 'authz', config, ...options })
    return { worker, socket }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync()
  }
}
