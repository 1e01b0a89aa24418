// The Helm chart as `helm package` lays it out, without the time at which it was packed.

import { join } from 'node:path'
import { filesBelow } from './files.ts'
import type { Release } from './release-info.ts'
import { ROOT } from './root.ts'
import { gzip, tar } from './tar.ts'

/** `countersign-VERSION.tgz`, which `helm install` takes. */
export const chartArchive = async ({ time }: Release): Promise<Buffer> =>
  gzip(tar(await filesBelow(join(ROOT, 'deploy/kubernetes/chart'), 'countersign/'), time))
