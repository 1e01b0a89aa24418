// Files that examples name. An example says what belongs into a configuration, not whether this machine has a CA of that
// name: every certificate is one and the same CA, every key is its key, and so on, made by the commands themselves.

import { createHash } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { basename, extname, join } from 'node:path'
import { ConfigurationFiles } from '../../../src/config/files.ts'
import { CountersignError } from '../../../src/runtime/errors.ts'
import { countersign } from '../../cli/run.ts'

/** Makes the files, in a folder of the caller. */
export const makeExampleFiles = async (folder: string): Promise<void> => {
  const run = async (...args: readonly string[]): Promise<string> => {
    const { status, stdout, stderr } = await countersign(args, 'wonderland\n')
    if (status !== 0) throw new Error(`countersign ${args.join(' ')}: ${stderr}`)
    return stdout
  }
  await mkdir(folder, { recursive: true })
  await run('ca', 'create', '--out', folder, '--name', 'CA of the examples')
  await run('keys', 'grant', join(folder, 'grant.keys'))
  await run('keys', 'signing', 'create', join(folder, 'signing-keys'))
  await run('keys', 'api', '--user', 'ci', '--file', join(folder, 'api-keys.yaml'))
  const hash = (await run('hash-password')).trim()
  const texts = {
    'users.yaml': `users:\n  alice: { password: '${hash}', groups: [dev] }\n`,
    'users.htpasswd': `alice:${hash}\n`,
    'denied.txt': '# nothing is denied\n',
    'logo.svg': '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>\n',
    'pod.token': 'a.b.c\n',
    'jwks.json': '{"keys":[]}\n',
    secret: 'cGxlYXNlLXVzZS1hLXJhbmRvbS1vbmUtaW5zdGVhZA\n',
  }
  for (const [name, text] of Object.entries(texts)) {
    await writeFile(join(folder, name), text, { mode: 0o600 })
  }
}

const OPENAPI = join(import.meta.dirname, 'petstore.yaml')

/** Reads, in place of any file, the one of its kind in the folder of {@link makeExampleFiles}. */
export class ExampleFiles extends ConfigurationFiles {
  readonly #folder: string
  readonly #configuration: Buffer

  constructor(folder: string, configuration: string) {
    super()
    this.#folder = folder
    this.#configuration = Buffer.from(configuration)
  }

  override async readWithMode(path: string): Promise<{ bytes: Buffer; mode: number }> {
    const mode = 0o100600
    if (basename(path) === EXAMPLE) return { bytes: this.#configuration, mode }
    const file = this.#fileFor(path)
    if (file === undefined) {
      throw new CountersignError('file-unreadable', `no example file is of the kind of ${path}`)
    }
    return { bytes: await readFile(file), mode }
  }

  override async digest(path: string): Promise<string> {
    return createHash('sha256')
      .update(await this.read(path))
      .digest('base64url')
  }

  /** Examples do not change: their path is as good. */
  override digestOf(path: string): string {
    return path
  }

  #fileFor(path: string): string | undefined {
    const name = basename(path)
    const at = (file: string): string => join(this.#folder, file)
    if (path.includes('signing-keys/')) return at(join('signing-keys', name))
    if (/petstore|openapi|description/.test(name)) return OPENAPI
    if (name.endsWith('api-keys.yaml')) return at('api-keys.yaml')
    switch (extname(name)) {
      case '.pem':
      case '.crt':
        return at('ca.pem')
      case '.key':
        return at('ca.key')
      case '.keys':
        return at('grant.keys')
      case '.yaml':
        return at('users.yaml')
      case '.htpasswd':
        return at('users.htpasswd')
      case '.txt':
        return at('denied.txt')
      case '.svg':
        return at('logo.svg')
      case '.json':
        return at('jwks.json')
      default: // .secret, .password, .token and the like
        return at('secret')
    }
  }
}

/** The name of the configuration itself. */
export const EXAMPLE = 'the-example.yaml'
