// The form of a device code from a browser without a session: its cookie has expired, or it keeps none. `oidc-provider` 9.13
// writes its refusal into the missing session, and the response would be Koa's "Internal Server Error".

import type { KoaContextWithOIDC } from 'oidc-provider'
import type { PageSender } from '../http/page-sender.ts'
import { ENDPOINTS } from '../http/paths.ts'

/** Answers such a form with a page. */
export const answeringLostForms =
  (sender: PageSender) =>
  async (ctx: KoaContextWithOIDC, next: () => Promise<void>): Promise<void> => {
    try {
      await next()
    } catch (cause) {
      const { method, path, oidc, req, res } = ctx
      const isForm = method === 'POST' && path === ENDPOINTS.code_verification
      if (!isForm || oidc.session?.exp !== undefined) throw cause
      ctx.body = null // what it had begun to say, with its length
      ctx.respond = false
      sender.tell(req.headers.cookie === undefined ? 'no-cookie' : 'expired', 400, req, res)
    }
  }
