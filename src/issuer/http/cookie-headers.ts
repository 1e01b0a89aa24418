// The cookies of a request, in the form that authz reads them in: one reading of them for both.

import type { IncomingMessage } from 'node:http'
import { HeaderLine } from '../../request/header-line.ts'
import { Headers } from '../../request/headers.ts'

/** The header `cookie` alone; Node joins several lines of it by "; ". */
export const cookieHeadersOf = ({
  headers: { cookie },
}: Pick<IncomingMessage, 'headers'>): Headers =>
  new Headers(cookie === undefined ? [] : [HeaderLine.of('cookie', Buffer.from(cookie, 'latin1'))])
