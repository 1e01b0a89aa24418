// A configuration with many rules, in the form of a file.

import { stringify } from 'yaml'
import type { Rules } from './shapes.ts'

/** One route, published for one user whose password is in `users.yaml`. */
export const configurationWith = (rules: Rules, socket: string): string =>
  stringify(
    {
      version: 1,
      listen: { authz: `unix:${socket}` },
      authenticators: { staff: { basic: { verify: [{ users: { file: 'users.yaml' } }] } } },
      routes: [
        {
          name: 'app',
          authenticate: ['staff'],
          authorize: rules,
          forward: { headers: 'kubernetes' },
        },
      ],
      audit: { file: 'audit.jsonl' },
      log: { level: 'warn' },
    },
    { aliasDuplicateObjects: false },
  )
