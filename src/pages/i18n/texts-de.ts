// Every text of the pages, in German, after texts-en.ts. The compiler refuses one that is missing, one too
// many, and one with other parameters.

import { html } from '../html.ts'
import type { Texts } from './texts-en.ts'

const count = (number: number): string => number.toLocaleString('de')

/** The texts by page. */
export const german: Texts = {
  frame: {
    error: 'Fehler',
    imprint: 'Impressum',
    privacy: 'Datenschutz',
    decision: 'Entscheidungs-ID',
    request: 'Anfrage-ID',
    todo: 'Was Sie tun können',
    back: 'Zurück',
    wait: (wait) => `Bitte versuchen Sie es ${wait} erneut.`,
  },
  login: {
    title: 'Anmelden',
    destination: (where) => html`Sie werden danach zu ${where} weitergeleitet.`,
    user: 'Benutzername',
    password: 'Passwort',
    submit: 'Anmelden',
    or: 'oder',
    certificate: 'Mit meinem Zertifikat anmelden',
    provider: (name) => `Weiter mit ${name}`,
    nothing:
      'Die Anmeldung ist zurzeit nicht verfügbar. Bitte wenden Sie sich an den Betreiber dieses Dienstes.',
    wrong: 'Benutzername oder Passwort falsch',
    wrongTodo: 'Bitte prüfen Sie beide Angaben und versuchen Sie es erneut.',
    noUser: 'Ihr Benutzername fehlt',
    noPassword: 'Ihr Passwort fehlt',
    locked: 'Zu viele Versuche',
    unavailable: 'Die Anmeldung ist vorübergehend nicht möglich',
    unavailableTodo:
      'Die Ursache liegt beim Dienst, nicht an Ihrem Passwort. Bitte versuchen Sie es in Kürze erneut.',
    expired: 'Diese Seite ist abgelaufen',
    expiredTodo: 'Ihre Eingaben wurden nicht verarbeitet. Bitte melden Sie sich erneut an.',
    noCertificate: 'Ihr Browser hat kein Zertifikat gesendet',
    noCertificateTodo:
      'Stecken Sie die Smartcard ein oder installieren Sie das Zertifikat, starten Sie den Browser neu und versuchen Sie es erneut.',
    certificateRefused: 'Ihr Zertifikat wurde nicht akzeptiert',
    certificateRefusedTodo:
      'Möglicherweise ist es abgelaufen oder für einen anderen Zweck bestimmt. Wählen Sie ein anderes Zertifikat.',
    providerFailed: (name) => html`Die Anmeldung mit ${name} ist fehlgeschlagen`,
    providerFailedTitle: 'Die Anmeldung ist fehlgeschlagen',
    providerFailedTodo: 'Versuchen Sie es erneut, oder wählen Sie ein anderes Anmeldeverfahren.',
    refused: {
      'user-disabled': 'Dieses Konto ist deaktiviert',
      'user-locked': 'Dieses Konto ist gesperrt',
      'user-expired': 'Dieses Konto ist abgelaufen',
      'user-restricted':
        'Die Anmeldung mit diesem Konto ist zu dieser Zeit oder von diesem Gerät aus nicht erlaubt',
      'password-expired': 'Ihr Passwort ist abgelaufen',
      'password-must-change': 'Sie müssen zuerst Ihr Passwort ändern',
      'second-factor-required':
        'Dieses Konto erfordert einen zweiten Faktor, der hier nicht unterstützt wird',
    },
    denied: 'Dieses Konto kann hier nicht verwendet werden',
    refusedTodo: 'Bitte wenden Sie sich an den Administrator Ihres Kontos.',
    passwordTodo: 'Ändern Sie Ihr Passwort wie gewohnt, und melden Sie sich dann erneut an.',
  },
  challenge: {
    title: 'Noch ein Schritt',
    question: 'Bitte geben Sie Ihren Einmalcode ein.',
    answer: 'Ihre Antwort',
    code: 'Code',
    submit: 'Weiter',
    cancel: 'Abbrechen',
    empty: 'Die Antwort fehlt',
    wrong: 'Falsche Antwort',
    wrongTodo: 'Bitte versuchen Sie es erneut.',
    expired: 'Diese Abfrage ist abgelaufen',
    expiredTodo: 'Bitte beantworten Sie die neue Abfrage.',
  },
  consent: {
    title: 'Zugriff erlauben?',
    asks: (client, user) =>
      html`${client} möchte auf Ihr Konto (${user}) zugreifen und Folgendes tun:`,
    scopes: {
      openid: 'Ihren Benutzernamen lesen',
      profile: 'Ihr Profil lesen, etwa Ihren Namen',
      email: 'Ihre E-Mail-Adresse lesen',
      phone: 'Ihre Telefonnummer lesen',
      address: 'Ihre Postanschrift lesen',
      groups: 'die Gruppen lesen, in denen Sie sind',
      offline_access:
        'mit Ihrem Konto angemeldet bleiben, auch wenn Sie die Anwendung nicht verwenden',
    },
    claims: 'Übermittelt werden:',
    goesTo: (where) => html`Ihre Antwort geht an ${where}.`,
    unsure: 'Wenn Sie diese Anwendung nicht kennen, lehnen Sie ab.',
    allow: 'Erlauben',
    deny: 'Ablehnen',
  },
  device: {
    title: 'Gerät anmelden',
    explain: 'Geben Sie den Code ein, den Ihr Gerät oder Ihre Befehlszeile anzeigt.',
    code: 'Code',
    submit: 'Weiter',
    unknown: 'Unbekannter Code',
    unknownTodo: 'Prüfen Sie den Code, oder lassen Sie sich auf dem Gerät einen neuen anzeigen.',
    expired: 'Dieser Code ist abgelaufen',
    expiredTodo: 'Lassen Sie sich auf dem Gerät einen neuen anzeigen.',
    failed: 'Der Code konnte nicht geprüft werden',
    failedTodo: 'Bitte versuchen Sie es erneut.',
    confirmTitle: 'Ist das Ihr Gerät?',
    confirm: (client) =>
      html`${client} möchte mit Ihrem Konto angemeldet werden und zeigt diesen Code an:`,
    warning:
      'Fahren Sie nur fort, wenn Sie diesen Code auf Ihrem eigenen Gerät sehen und die Anmeldung eben selbst begonnen haben. Hat Ihnen jemand den Code oder den Link geschickt, brechen Sie ab.',
    allow: 'Ja, anmelden',
    deny: 'Abbrechen',
    doneTitle: 'Ihr Gerät ist angemeldet',
    done: 'Sie können diese Seite schließen und auf dem Gerät fortfahren.',
    deniedTitle: 'Das Gerät wurde nicht angemeldet',
    denied: 'Sie können diese Seite schließen.',
  },
  logout: {
    title: 'Abmelden?',
    confirm: (client) => html`${client} möchte Sie abmelden.`,
    explain:
      'Sie müssen sich danach erneut anmelden, hier und in den Anwendungen, die Sie verwenden.',
    yes: 'Abmelden',
    no: 'Angemeldet bleiben',
    doneTitle: 'Sie sind abgemeldet',
    done: 'Schließen Sie auf einem gemeinsam genutzten Rechner auch den Browser.',
    again: 'Erneut anmelden',
    goOn: (where) => html`Weiter zu ${where}`,
  },
  account: {
    title: 'Ihr Konto',
    who: 'Ihre Identität',
    user: 'Benutzername',
    name: 'Name',
    email: 'E-Mail',
    groups: (number) => (number === 1 ? '1 Gruppe' : `${count(number)} Gruppen`),
    noGroups: 'Sie gehören keiner Gruppe an.',
    moreGroups: (number) => `${count(number)} weitere anzeigen`,
    groupsOmitted: (number) =>
      `${count(number)} weitere werden hier nicht verwendet, weil es zu viele sind.`,
    login: 'Ihre Anmeldung',
    means: {
      password: 'mit Ihrem Passwort',
      'one-time-code': 'mit einem Einmalcode',
      certificate: 'mit Ihrem Zertifikat',
    },
    provider: (name) => html`mit ${name}`,
    how: 'Angemeldet',
    when: 'Zeitpunkt',
    ends: 'Endet spätestens',
    sessions: 'Ihre Sitzungen',
    session: 'Sitzung',
    action: 'Aktion',
    current: 'aktuelle Sitzung',
    unknownBrowser: 'Unbekannter Browser',
    from: (address) => html`von ${address}`,
    begun: 'Angemeldet',
    used: 'Zuletzt verwendet',
    endOne: 'Abmelden',
    endOneOf: (session) => `Abmelden: ${session}`,
    leave: 'Abmelden',
    here: 'Hier abmelden',
    hereExplain: 'Beendet nur diese Sitzung.',
    everywhere: 'Überall abmelden',
    everywhereExplain:
      'Beendet alle Ihre Sitzungen, auf jedem Gerät. Tun Sie das, wenn Sie eine davon nicht kennen.',
    ended: 'Die Sitzung wurde beendet.',
    endedAll: 'Alle anderen Sitzungen wurden beendet.',
    moreSessions: (number) => `Und ${count(number)} weitere Sitzungen.`,
  },
  interrupted: {
    title: 'Ihre Sitzung ist beendet',
    explain: (where) =>
      html`Ihre Sitzung war bereits beendet, als Sie dieses Formular${where && html` an ${where}`}
      abgeschickt haben. Es wurde nicht übermittelt, und Ihre Eingaben sind noch nicht verloren.`,
    logIn: 'Anmelden (in einem anderen Tab)',
    first:
      'Melden Sie sich über die Schaltfläche unten an. Sie öffnet einen weiteren Tab; lassen Sie diesen geöffnet.',
    second:
      'Kehren Sie zu diesem Tab zurück und laden Sie ihn neu. Bestätigen Sie die Frage des Browsers, ob das Formular erneut gesendet werden soll.',
  },
  message: {
    malformed: {
      title: 'Ungültige Anfrage',
      what: 'Die Anwendung, von der Sie kommen, hat eine ungültige Anfrage gesendet.',
      todo: 'Gehen Sie zurück und versuchen Sie es erneut. Bleibt der Fehler bestehen, wenden Sie sich an den Betreiber der Anwendung.',
    },
    'unknown-client': {
      title: 'Unbekannte Anwendung',
      what: 'Die Anwendung, von der Sie kommen, ist nicht registriert. Sie werden nicht zu ihr weitergeleitet.',
      todo: 'Wenn Sie die Anwendung kennen, wenden Sie sich an ihren Betreiber.',
    },
    expired: {
      title: 'Diese Seite ist abgelaufen',
      what: 'Die Seite, von der Sie kommen, ist nicht mehr gültig. Es wurden keine Änderungen vorgenommen.',
      todo: 'Beginnen Sie erneut in der Anwendung, die Sie verwenden möchten.',
    },
    'other-browser': {
      title: 'Diese Anmeldung wurde in einem anderen Browser begonnen',
      what: 'Die Anfrage gehört zu keiner Anmeldung, die dieser Browser begonnen hat. Es wurden keine Änderungen vorgenommen.',
      todo: 'Beginnen Sie erneut in der Anwendung, die Sie verwenden möchten. Wenn Ihnen jemand den Link geschickt hat, verwenden Sie ihn nicht.',
    },
    forged: {
      title: 'Dieses Formular wurde nicht angenommen',
      what: 'Es wurde nicht von einer Seite dieses Dienstes gesendet, oder die Seite ist abgelaufen. Es wurden keine Änderungen vorgenommen.',
      todo: 'Gehen Sie zurück, laden Sie die Seite neu und versuchen Sie es erneut.',
    },
    'no-cookie': {
      title: 'Cookies sind blockiert',
      what: 'Diese Anmeldung benötigt ein Cookie, das Ihr Browser nicht gesendet hat.',
      todo: 'Erlauben Sie Cookies für diese Website, und beginnen Sie erneut in der Anwendung, die Sie verwenden möchten.',
    },
    denied: {
      title: 'Zugriff verweigert',
      what: 'Sie sind angemeldet, haben aber keinen Zugriff auf diesen Dienst.',
      todo: 'Wenn Sie Zugriff benötigen, wenden Sie sich mit der untenstehenden ID an den Betreiber des Dienstes.',
    },
    cancelled: {
      title: 'Abgebrochen',
      what: 'Sie sind nicht angemeldet. Die Anwendung wurde benachrichtigt.',
      todo: 'Sie können diese Seite schließen.',
    },
    'login-failed': {
      title: 'Die Anmeldung ist fehlgeschlagen',
      what: 'Die Antwort des Anmeldedienstes ist ungültig.',
      todo: 'Versuchen Sie es erneut. Bleibt der Fehler bestehen, wenden Sie sich an den Betreiber dieses Dienstes.',
    },
    'other-user': {
      title: 'Sie sind als ein anderer Benutzer angemeldet',
      what: 'Die Anwendung erfordert die Anmeldung eines anderen Benutzers.',
      todo: 'Melden Sie sich zuerst ab, und beginnen Sie dann erneut in der Anwendung.',
    },
    'too-many': {
      title: 'Zu viele Anfragen',
      what: 'Von Ihnen oder aus Ihrem Netzwerk kamen zu viele Anfragen.',
      todo: 'Warten Sie einen Moment, und versuchen Sie es dann erneut.',
    },
    'not-found': {
      title: 'Seite nicht gefunden',
      what: 'Möglicherweise ist die Adresse falsch geschrieben, oder die Seite wurde entfernt.',
      todo: 'Prüfen Sie die Adresse, oder beginnen Sie in der Anwendung, die Sie verwenden möchten.',
    },
    unavailable: {
      title: 'Vorübergehend nicht verfügbar',
      what: 'Ein Server, den dieser Dienst benötigt, antwortet nicht.',
      todo: 'Bitte versuchen Sie es in Kürze erneut.',
    },
    internal: {
      title: 'Interner Fehler',
      what: 'In diesem Dienst ist ein Fehler aufgetreten. Er wurde protokolliert.',
      todo: 'Bitte versuchen Sie es erneut. Bleibt der Fehler bestehen, wenden Sie sich mit der untenstehenden ID an den Betreiber dieses Dienstes.',
    },
  },
}
