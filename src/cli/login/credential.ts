// `countersign credential`: the plugin by which kubectl gets a token. Its standard output is the answer
// and nothing else; whatever there is to say goes to standard error.

import { Command, Option } from 'commander'
import { CountersignError } from '../../runtime/errors.ts'
import type { CommandContext } from '../context.ts'
import { printable } from '../printable.ts'
import { surroundings, tokenFolder } from './cache/place.ts'
import { TokenCache } from './cache/token-cache.ts'
import { ending } from './ending.ts'
import { execCredential, readExecInfo, type ExecInfo } from './exec-credential.ts'
import { asText, logInAndKeep } from './login.ts'
import { freshnessOf, renewalOf, TOKEN_KINDS, tokenOf, usualKind } from './login-record.ts'
import type { HeldToken, Login, TokenKind } from './login-record.ts'
import type { LoginRequest, ProviderAccess } from './login-request.ts'
import {
  accessIn,
  caOption,
  issuerOption,
  requestIn,
  requestOptions,
  typed,
  flowIn,
  wayOptions,
  withOptions,
  wordsOf,
  type RequestOptions,
  type WayOptions,
} from './options.ts'
import { heldToken, lastUseOf } from './renew.ts'
import { atTerminal } from './terminal.ts'

interface Options extends RequestOptions, WayOptions {
  readonly token?: TokenKind
}

const HELP = `
kubectl runs it; \`countersign kubeconfig --auth-method exec\` writes the kubeconfig. The options of the request
must equal those of \`countersign login\`. A token that is about to expire is renewed, by one process for
all. When a login is required and kubectl has a terminal, the user is prompted to log in; otherwise the
command fails and prints the command to run.

It implements client.authentication.k8s.io/v1 (and v1beta1), which transfers a token or a client
certificate, but no user name and password: those belong into the kubeconfig
(\`countersign kubeconfig --auth-method password\`).

Examples:
  countersign credential --issuer https://id.example.org
  countersign credential --issuer https://id.example.org --resource https://kube.example.org
  countersign credential --issuer https://id.example.org --token access_token`

/** The command. */
export const credentialCommand = (context: CommandContext): Command => {
  const command = new Command('credential').description(
    'print a token of a login for kubectl (an exec credential plugin)',
  )
  withOptions(command, [
    issuerOption().makeOptionMandatory(),
    ...requestOptions(),
    caOption(),
    new Option(
      '--token <kind>',
      'which token; default: access_token where --resource or --audience is given, else id_token',
    ).choices(TOKEN_KINDS),
    ...wayOptions(),
  ])
  return command.addHelpText('after', HELP).action(async (options: Options) => {
    await ending(context, async () => {
      const { process } = context
      const info = readExecInfo(process.env['KUBERNETES_EXEC_INFO'], process.stdin.isTTY === true)
      process.stdout.write(await answer(context, info, options))
    })
  })
}

const answer = async (
  context: CommandContext,
  info: ExecInfo,
  options: Options,
): Promise<string> => {
  const [request, access, flow] = [requestIn(options), accessIn(options), flowIn(options)]
  const kind = options.token ?? usualKind(request)
  const cache = new TokenCache(tokenFolder(surroundings(context.process.env)))
  const held = await heldToken({
    cache,
    request,
    kind,
    renew: async (login) => {
      // Seldom needed, and it takes as long to load as everything else.
      const { openProvider } = await import('./provider/provider.ts')
      const provider = await openProvider(request, { ...accessIn(login), ...access })
      return await provider.renew(login)
    },
    now: Date.now,
  })
  if (held.outcome === 'held') return answerOf(info, held.login, held.token)
  if (!info.interactive) throw loginNeeded(held.why, request, access)
  context.console.error(`countersign: ${printable(held.why)}`)
  const login = await logInAndKeep(cache, request, access, flow, atTerminal(context))
  context.process.stderr.write(asText(login))
  return answerOf(info, login, tokenOf(login, kind))
}

const answerOf = (info: ExecInfo, login: Login, token: HeldToken): string => {
  // kubectl calls again when the token is due for renewal; while renewal fails, shortly before the token expires.
  const fresh = freshnessOf(login, token, Date.now()) === 'fresh'
  return execCredential(info, token.value, fresh ? renewalOf(login, token) : lastUseOf(token))
}

const loginNeeded = (
  why: string,
  request: LoginRequest,
  access: ProviderAccess,
): CountersignError => {
  const command = typed(['countersign', 'login', ...wordsOf(request, access)])
  return new CountersignError('login-needed', printable(`${why}; run: ${command}`))
}
