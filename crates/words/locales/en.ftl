# Text messages. A telephone shows 160 characters of the basic alphabet as one message.
sms = { $code } is your { $brand } code. It works for { $minutes } min. Never share it.
warning-sms = { $brand }: too many sign-in requests that you did not accept. If they are not yours, change your password.
invitation-sms = { $brand }: set up your sign-in. Do not share: { $link }
added-sms = { $brand }: a new way to sign in was added: { $device }. Not you? Tell your administrator at once.
test-sms = Test message from { $brand }. It asks for nothing.

# Calls.
voice = This is { $brand }. Your code is: { $code }. Again, your code is: { $code }. Goodbye.
keypad = This is { $brand }. Please key in the six digits shown on your screen, then press the hash key.
keypad-right = This is { $brand }. Thank you, the digits are right. Goodbye.
keypad-wrong = This is { $brand }. These are not the digits on your screen. Please begin again there. Goodbye.
keypad-late = This is { $brand }. It is too late for these digits. Please begin again on your screen. Goodbye.

# Mail.
email-subject = Your { $brand } code
email-lead = Your { $brand } code is
email-life = { $minutes ->
    [one] It works once, for one minute.
   *[other] It works once, for { $minutes } minutes.
}
email-caution = If you did not ask for it, somebody may know your password: change it, and do not give this code to anyone.
link-subject = Confirm that it is you: { $brand }
link-lead = Open this link to confirm to { $brand } that it is you
link-or = Or open this link and confirm there
link-button = Review and confirm
link-life = { $minutes ->
    [one] The link works once, for one minute.
   *[other] The link works once, for { $minutes } minutes.
}
link-caution = If you did not ask for it, somebody may know your password: change it. The page behind the link lets you say that it was not you.
both-life = { $minutes ->
    [one] Use one of them, once, within one minute.
   *[other] Use one of them, once, within { $minutes } minutes.
}
both-caution = If you did not ask for it, somebody may know your password: change it, do not give this code to anyone, and confirm nothing.
warning-subject = Sign-ins to { $brand } that you did not accept
warning-lead = Somebody asks again and again to sign in to { $brand } in your name, and you did not accept. For now no more requests are sent to your phone.
warning-caution = If it was not you, somebody knows your password: change it. Accept no request that you have not made yourself.
invitation-subject = Set up your sign-in to { $brand }
invitation-lead = You have been invited to set up a second step for signing in to { $brand }. It takes two minutes; have your phone at hand. Open this link to begin
invitation-button = Set up now
invitation-life-hours = The link works once, for { $hours } hours.
invitation-life-days = The link works once, for { $days } days.
invitation-caution = The link is for you alone: do not pass it on, not even to those who offer help. If you did not expect it, ask your administrator first.
added-subject = New way to sign in to { $brand }
added-lead = A new way to sign in was added to your { $brand } account
added-caution = If it was you, there is nothing to do. If it was not, somebody else can sign in as you: tell your administrator at once, and change your password.
test-subject = Test message from { $brand }
test-lead = This is a test message from { $brand }. It asks for nothing.

# Prompts on a phone. Nothing personal: they pass through a push service.
push = Is it you signing in to { $brand }?
push-number = Is it you signing in to { $brand }? Type the number you see there.

# Pages. { $brand }, { $who } and other names are shown apart from the text around them.
page-foot = { $brand } asks for a second factor, so that your password alone is not enough to sign in.
page-continue = Continue
page-minutes-ago = { $minutes ->
    [0] just now ({ $clock })
    [one] one minute ago ({ $clock })
   *[other] { $minutes } minutes ago ({ $clock })
}
page-minutes-left = { $minutes ->
    [one] for one more minute ({ $clock })
   *[other] for { $minutes } more minutes ({ $clock })
}
page-link-title = Is it you?
page-link-lead-login = Somebody is signing in as { $who }.
page-link-lead-enrolment = Somebody wants to use this mailbox to sign in as { $who }.
page-link-client = Where to
page-link-account = Account
page-link-from = From
page-link-device = Device
page-link-caller = Server
page-link-asked = Asked
page-link-until = Can be confirmed
page-link-heed = Confirm only what you have started yourself, a moment ago.
page-link-confirm = Yes, it is me
page-link-deny = No, it is not me
page-link-confirmed = Confirmed
page-link-go-back = You can close this page and go back to where you started.
page-link-goes-on = You are taken back now.
page-link-disowned = Denied
page-link-disowned-lead = The request was refused, and nothing was confirmed.
page-link-disowned-advice = If you did not start it, somebody may know your password. Change it.
page-link-over = This link no longer works
page-link-over-lead = It was used, it is over, or a newer one took its place.
page-link-over-advice = If you have just confirmed, you are done: go back to where you started. Otherwise begin again there, and use the newest message.
page-link-not-from-page = This answer was not taken
page-link-not-from-page-lead = It came from another website, so nothing was confirmed.
page-link-not-from-page-advice = Open the link in the message itself, and answer on the page that it shows.
page-enrol-title = Set up your second step
page-enrol-lead = Your password alone is not enough for { $brand }. Choose how you will show that it is you.
page-enrol-account = Account
page-enrol-by = Invited by
page-enrol-until = Link works
page-enrol-hours-left = { $hours ->
    [one] for one more hour ({ $clock })
   *[other] for { $hours } more hours ({ $clock })
}
page-enrol-days-left = { $days ->
    [one] for one more day ({ $clock })
   *[other] for { $days } more days ({ $clock })
}
page-enrol-replaces = Your earlier devices stop working when you finish. Until then they work as before.
page-enrol-recommended = Recommended
page-enrol-weaker = Weaker
page-enrol-totp = Authenticator app
page-enrol-totp-text = An app on your phone shows a new code every 30 seconds, even without a network.
page-enrol-totp-begin = Use an authenticator app
page-enrol-push = Prompt on your phone
page-enrol-push-text = Your phone asks whether it is you, and you answer with a tap. No code to type.
page-enrol-push-begin = Use prompts on my phone
page-enrol-email = E-mail
page-enrol-email-text = You get a code by mail each time. It is as safe as your mailbox.
page-enrol-email-field = E-mail address
page-enrol-email-begin = Mail me a code
page-enrol-sms = Text message
page-enrol-sms-text = You get a code by text message each time. This is the weakest way: others can take over a number or read its messages.
page-enrol-sms-field = Mobile number
page-enrol-sms-hint = With its country code, as in +44 7700 900123.
page-enrol-sms-begin = Text me a code
page-enrol-known = We send it to { $to }.
page-enrol-lost = If you lose your phone, ask your administrator for a new link.
page-enrol-help = How to reach them
page-enrol-app = Add your account to the app
page-enrol-app-lead = Open your authenticator app, choose to add an account, and scan this picture.
page-enrol-app-which = No such app yet? Any will do, for example Google Authenticator, Microsoft Authenticator, Aegis, or a password manager.
page-enrol-app-alt = QR code for your authenticator app. If you cannot scan it, use the link or the key that follow.
page-enrol-app-open = Open in an app on this phone
page-enrol-app-key = Type a key instead of scanning
page-enrol-app-issuer = Issuer
page-enrol-app-secret = Key
page-enrol-app-once = Picture and key are shown only once: keep this page open until you have finished.
page-enrol-app-code = Code that the app shows
page-enrol-app-code-hint = It changes every 30 seconds.
page-enrol-confirm = Confirm
page-enrol-again = Start again
page-enrol-try = Type the code once more
page-enrol-try-lead = The account { $who } in your app is still the right one.
page-enrol-try-advice = Is it not in your app? Start again for a new picture, and delete what the app has for this account.
page-enrol-wrong = This code is not right. Type the one that the app shows now.
page-enrol-wrong-sent = This code is not right. Type the one from the newest message.
page-enrol-used = This code has been used already. Wait for the next one: that takes 30 seconds at most.
page-enrol-clock-fast = { $minutes ->
    [one] The clock of your phone is one minute fast. Let the phone set its time automatically, then type the code that the app shows.
   *[other] The clock of your phone is { $minutes } minutes fast. Let the phone set its time automatically, then type the code that the app shows.
}
page-enrol-clock-slow = { $minutes ->
    [one] The clock of your phone is one minute slow. Let the phone set its time automatically, then type the code that the app shows.
   *[other] The clock of your phone is { $minutes } minutes slow. Let the phone set its time automatically, then type the code that the app shows.
}
page-enrol-locked = Too many wrong codes
page-enrol-locked-lead = { $minutes ->
    [one] No code is accepted for one minute. After that, open your link again.
   *[other] No code is accepted for { $minutes } minutes. After that, open your link again.
}
page-enrol-locked-help = No code is accepted for this account at the moment. Ask your administrator to unlock it.
page-enrol-late = This took too long
page-enrol-late-lead = What you began is over, and nothing was changed. Start again: it takes a minute.
page-enrol-pair = Connect your phone
page-enrol-pair-lead = Point the camera of your phone at this picture, and open the page that it finds.
page-enrol-pair-alt = QR code with the address of the app. If you cannot scan it, use the link or the code that follow.
page-enrol-pair-open = On this phone: open the app
page-enrol-pair-code = Or type this code into the app
page-enrol-pair-until = Code works
page-enrol-waiting = Waiting for your phone
page-enrol-sent = Type the code
page-enrol-sent-sms = We have sent a text message to { $to }.
page-enrol-sent-email = We have sent a mail to { $to }.
page-enrol-sent-code = Code from the message
page-enrol-resend = Send a new code
page-enrol-resend-sms = No message yet? Check the number, or get a new code.
page-enrol-resend-email = No message yet? Look into the spam folder as well, or get a new code.
page-enrol-resend-later = { $seconds ->
    [one] No message yet? You can get a new code in one second.
   *[other] No message yet? You can get a new code in { $seconds } seconds.
}
page-enrol-other-number = Use another number
page-enrol-other-address = Use another address
page-enrol-done = You are set up
page-enrol-done-totp = From now on, after your password, type the code that your app shows.
page-enrol-done-push = From now on, after your password, answer the prompt on your phone.
page-enrol-done-email = From now on, after your password, type the code that we mail you.
page-enrol-done-sms = From now on, after your password, type the code that we text you.
page-enrol-done-replaced = Your earlier devices were removed and no longer work.
page-enrol-done-number = A telephone number alone is weak: others can take it over, and without reception no code arrives. Please add an authenticator app as well.
page-enrol-done-spare = A second way lets you in when this one is lost or broken.
page-enrol-done-next = Add another way
page-enrol-done-next-until = { $minutes ->
    [one] You can do so here for one minute.
   *[other] You can do so here for { $minutes } minutes.
}
page-enrol-done-close = You can close this page.
page-enrol-over-advice = If you have just finished, you are done. Otherwise ask your administrator for a new link.
page-enrol-not-from-page-lead = It came from another website, so nothing was set up.
page-enrol-target-refused = No message can go there. Check it, or choose another way.
page-not-found = There is nothing here
page-not-found-lead = The address may be incomplete. Copy it whole, or open it from the message again.
page-not-understood = This was not understood
page-not-understood-lead = The browser sent something that this page does not send. Go back and try again.
page-too-many = Too many requests
page-too-many-lead = { $seconds ->
    [one] Please try again in one second.
   *[other] Please try again in { $seconds } seconds.
}
page-unavailable = Not available for the moment
page-unavailable-lead = Nothing was changed. Please try again in a minute.
page-fault = Something went wrong
page-fault-lead = The fault is on our side. Please try again; if it stays, give the number below to those who run this service.
page-fault-id = Number of the request

# The app on a phone. $account and other names are put in by its script.
page-app-title = Sign-in requests
page-app-noscript = This app needs JavaScript. Turn it on for this page, and open it again.
page-app-starting = One moment…
page-app-status-connecting = Connecting…
page-app-status-ready = Connected. New requests appear here.
page-app-status-unpaired = Not paired yet
page-app-status-polling = The service is busy. This app asks for new requests every 5 seconds.
page-app-status-offline = No connection. Trying again…
page-app-status-busy = Too many requests. Trying again in { $time }.
page-app-none = Nothing is waiting
page-app-none-lead = When you sign in, the request appears here.
page-app-accounts = Accounts on this phone
page-app-add = Add an account
page-app-history = History
page-app-removed = Removed
page-app-request = Is it you?
page-app-request-lead = Somebody is signing in as { $account }.
page-app-heed = Accept only what you have started yourself, a moment ago.
page-app-digits = Number shown where you sign in
page-app-digits-hint = It has { $digits } digits. If you see no number, deny.
page-app-digits-older = This number is from an earlier screen. Type the one that is shown now.
page-app-accept = Accept
page-app-deny = Deny
page-app-later = Not now
page-app-back = Back
page-app-left = { $time } left
page-app-not-sent = Your answer was not sent. Check the connection and try again.
page-app-wait = Too many tries. Please wait { $time } and try again.
page-app-deny-title = Did you start this sign-in?
page-app-deny-lead = It is refused either way.
page-app-report = No, it wasn’t me
page-app-report-hint = This raises an alarm at { $issuer } and pauses requests for 15 minutes.
page-app-mind = Yes, I changed my mind
page-app-accepted = Accepted
page-app-accepted-lead = Go back to where you are signing in. It goes on there by itself.
page-app-denied = Denied
page-app-denied-lead = The sign-in was refused.
page-app-reported = Reported
page-app-reported-lead = The sign-in was refused, and an alarm was raised. You get no more requests for 15 minutes.
page-app-reported-advice = Somebody may know your password. Change it now.
page-app-wrong-number = That was not the number
page-app-wrong-number-lead = The sign-in was refused.
page-app-wrong-number-advice = If it was you, start again, and type the number that you see then.
page-app-over = This request is over
page-app-over-lead = It was answered already, a newer one took its place, or its time ran out. Nothing was accepted here.
page-app-over-advice = If you are still waiting, start the sign-in again.
page-app-locked = Locked for now
page-app-locked-lead = Your account or this phone is locked, so your answer was not taken.
page-app-locked-advice = Try again later, or ask your help desk.
page-app-next = Next request
page-app-done = Done
page-app-arrived = New sign-in request: { $client }
page-app-unnamed = Unnamed service
page-app-welcome = Pair this phone
page-app-welcome-lead = Then you accept sign-ins to { $brand } with a tap. The key for it never leaves this phone.
page-app-code = Pairing code
page-app-code-hint = 8 letters and digits
page-app-code-wrong = A pairing code has 8 letters and digits, such as 7K2M 9QXR.
page-app-code-unknown = This code does not work. Codes work once, for a few minutes. Ask for a new one.
page-app-how = Where to find the code
page-app-how-set-up = On your computer, choose the phone as your second factor.
page-app-how-scan = Scan the picture that appears with the camera of this phone.
page-app-how-type = Or type the code that is shown below it here.
page-app-pair = Pair with { $issuer }?
page-app-pair-lead = This phone will accept sign-ins with the code
page-app-pair-heed = Go on only if you have asked for this code yourself.
page-app-pair-yes = Pair this phone
page-app-cancel = Cancel
page-app-full = This phone has eight accounts already. Remove one of them first.
page-app-paired = This phone is paired
page-app-paired-lead = From now on it accepts or denies sign-ins as { $account }.
page-app-not-mine = This is not my account
page-app-service = Service
page-app-paired-at = Paired
page-app-removed-lead = { $issuer } no longer accepts this phone. To use it again, remove the account here and pair it anew.
page-app-remove = Remove from this phone
page-app-remove-title = Remove { $account }?
page-app-remove-lead = Its key on this phone is deleted for good. To sign in, you then need another second factor.
page-app-remove-also = { $issuer } still lists this phone until it is deleted there, too.
page-app-remove-yes = Remove
page-app-keep = Keep
page-app-history-note = The last 50 requests. They are kept on this phone only.
page-app-history-none = Nothing yet
page-app-history-clear = Clear history
page-app-outcome-accepted = Accepted
page-app-outcome-denied = Denied
page-app-outcome-reported = Reported
page-app-outcome-wrong-number = Wrong number
page-app-outcome-over = Over
page-app-outcome-locked = Locked
page-app-outcome-missed = Not answered
page-app-notify = Notifications
page-app-notify-why = This phone shows a notification when you sign in, even while the app is closed. It says nothing personal.
page-app-notify-on = Turn on notifications
page-app-notify-is-on = On. Requests reach you while the app is closed.
page-app-notify-off = Turn off notifications
page-app-notify-denied = Notifications are blocked. Allow them for this app in the settings of your browser or phone, then open it again.
page-app-notify-unsupported = Not available here. Keep this app open while you sign in.
page-app-notify-failed = Notifications could not be turned on. Please try again later.
page-app-install = Add this app to your Home Screen
page-app-install-lead = On iPhone and iPad, notifications work only in apps on the Home Screen.
page-app-install-share = Tap Share in the bar of the browser.
page-app-install-add = Choose “Add to Home Screen”.
page-app-install-open = Open { $brand } from the Home Screen, and pair it there.
page-app-install-code = If the app asks for a code, type this one:
page-app-install-skip = Go on in the browser
page-app-install-how = Show me how
page-app-install-now = Install this app
page-app-broken = This browser cannot be used
page-app-broken-lead = It cannot keep a key safely. Use a window that is not private, with a current browser, over https.
page-app-ended = A request has ended
