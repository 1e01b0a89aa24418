// The dashboards, and the files that Grafana imports.

import { certificates } from './certificates.ts'
import { credentials } from './credentials.ts'
import { dashboardJson, type Dashboard } from './dashboard.ts'
import { dependencies } from './dependencies.ts'
import { latency } from './latency.ts'
import { uidOf } from './links.ts'
import { loginsAndSessions } from './logins.ts'
import { requests } from './requests.ts'
import { runtime } from './runtime.ts'

const ALL: readonly Dashboard[] = [
  requests,
  latency,
  credentials,
  loginsAndSessions,
  certificates,
  dependencies,
  runtime,
]

/** A file that Grafana imports. */
export interface DashboardFile {
  readonly name: string
  readonly contents: string
}

/** Every file. */
export const dashboardFiles = (): readonly DashboardFile[] =>
  ALL.map((dashboard) => ({
    name: `${uidOf(dashboard.name)}.json`,
    contents: `${JSON.stringify(dashboardJson(dashboard), undefined, 2)}\n`,
  }))
