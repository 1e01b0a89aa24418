// Keys that had another name before the first release. `validate` names the new one, so that an older configuration
// can be corrected without the changelog.

import type { RenamedKey } from '../config/renamed-key.ts'

/** The renamed keys of `countersign.yaml`. */
export const RENAMED_KEYS: readonly RenamedKey[] = [
  { from: 'answer', to: 'cacheTtl', under: /^repeats$/ },
  { from: 'answer', to: 'response', under: /^(authorize|rules)$/ },
  { from: 'beyond', to: 'onExcess', under: /^groups$/ },
  { from: 'bytes', to: 'maxBytes', under: /^groups$/ },
  { from: 'callingStation', to: 'callingStationId', under: /^radius$/ },
  { from: 'carriers', to: 'locations', under: /^apiKey$/ },
  { from: 'failures', to: 'failureThreshold' },
  { from: 'forget', to: 'decay', under: /^(userAndSource|user|source)$/ },
  { from: 'grants', to: 'certificateGrants', under: /^$/ },
  { from: 'grants', to: 'grantTypes' }, // of a client, whose name is the key above
  { from: 'guard', to: 'bruteForceProtection', under: /^basic$/ },
  { from: 'idle', to: 'idleTimeout', under: /^(ldap|session|login)$/ },
  { from: 'least', to: 'min', under: /^refresh$/ },
  { from: 'longest', to: 'maxLifetime', under: /^(session|login)$/ },
  { from: 'longestUnchecked', to: 'maxLifetimeWithoutRecheck', under: /^login$/ },
  { from: 'look', to: 'theme', under: /^issuer$/ },
  { from: 'most', to: 'max', under: /^(groups|refresh)$/ },
  { from: 'once', to: 'countInterval', under: /^repeats$/ },
  { from: 'primaryUnder', to: 'primaryGroupBase', under: /^groups$/ },
  { from: 'rejectMeans', to: 'onReject', under: /^radius$/ },
  { from: 'remember', to: 'cacheTtl' },
  { from: 'stream', to: 'maxStreamDuration', under: /^session$/ },
  { from: 'under', to: 'subtree', under: /^groups$/ },
  { from: 'waiting', to: 'maxPending', under: /^ldap$/ },
  { from: 'zone', to: 'timeZone', under: /^times$/ },
]
