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
warning-subject = Sign-ins to { $brand } that you did not accept
warning-lead = Somebody asks again and again to sign in to { $brand } in your name, and you did not accept. For now no more requests are sent to your phone.
warning-caution = If it was not you, somebody knows your password: change it. Accept no request that you have not made yourself.
test-subject = Test message from { $brand }
test-lead = This is a test message from { $brand }. It asks for nothing.

# Prompts on a phone. Nothing personal: they pass through a push service.
push = Is it you signing in to { $brand }?
push-number = Is it you signing in to { $brand }? Type the number you see there.
