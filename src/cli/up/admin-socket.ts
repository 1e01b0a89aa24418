// Where the administration interface of the Envoy of one `countersign up` is.

import { mkdir, readlink, rm, symlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { EnvoyConfig } from '../../configuration/envoy-schema.ts'
import type { Address } from '../../config/values.ts'
import { prepareSocket } from '../../runtime/listen.ts'

/**
 * The address in the configuration, or else a socket in the folder of this run. A symbolic link at the default place
 * leads there, for `doctor` and `envoy lint --admin`.
 */
export const adminAddress = async (
  { admin, adminIsDefault }: EnvoyConfig,
  folder: string,
  stack: AsyncDisposableStack,
): Promise<Address> => {
  if (admin.kind !== 'unix') return admin
  if (!adminIsDefault) {
    await prepareSocket(admin.path)
    return admin
  }
  const path = join(folder, 'envoy-admin.sock')
  if (await link(path, admin.path)) stack.defer(async () => await unlink(path, admin.path))
  return { kind: 'unix', path }
}

/** Makes the link, in place of one of an earlier run; `false` where the folder may not be written. */
const link = async (target: string, path: string): Promise<boolean> => {
  try {
    await mkdir(dirname(path), { recursive: true })
    await rm(path, { force: true })
    await symlink(target, path)
    return true
  } catch {
    return false // Envoy runs without it
  }
}

const unlink = async (target: string, path: string): Promise<void> => {
  if ((await readlink(path).catch(() => undefined)) === target) await rm(path, { force: true })
}
