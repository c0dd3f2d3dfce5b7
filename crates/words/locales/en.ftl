# Text messages. A telephone shows 160 characters of the basic alphabet as one message.
sms = { $code } is your { $brand } code. It works for { $minutes } min. Never share it.
warning-sms = { $brand }: too many sign-in requests that you did not accept. If they are not yours, change your password.
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
