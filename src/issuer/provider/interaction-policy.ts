// When an authorization prompts the user.

import { interactionPolicy as policies } from 'oidc-provider'

/** The library's interaction policy, with the checks that it leaves to the application. */
export const interactionPolicy = () => {
  const { Check, base } = policies
  const policy = base()
  // A session whose login has ended since, while the browser was at another page of the issuer.
  policy
    .get('login')
    ?.checks.add(
      new Check('login_ended', 'the login has ended', 'login_required', ({ oidc }) =>
        oidc.session?.accountId !== undefined && oidc.account === undefined
          ? Check.REQUEST_PROMPT
          : Check.NO_NEED_TO_PROMPT,
      ),
    )
  const consent = policy.get('consent')
  consent?.checks.remove('native_client_prompt')
  // RFC 8252 §8.6: any program on the device can use that client's id. A user
  // who has just logged in has seen for which client; one who was logged in already would have seen nothing.
  consent?.checks.add(
    new Check('native_client', 'a program on a device has to be confirmed', ({ oidc }) => {
      const seen =
        oidc.result?.login !== undefined ||
        oidc.result?.consent !== undefined ||
        oidc.deviceCode !== undefined // whose code was confirmed
      return oidc.client?.applicationType === 'native' && !seen
        ? Check.REQUEST_PROMPT
        : Check.NO_NEED_TO_PROMPT
    }),
  )
  return policy
}
