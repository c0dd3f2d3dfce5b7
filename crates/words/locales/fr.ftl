sms = { $code } est votre code { $brand }. Il est valable { $minutes } min. Ne le donnez à personne.
warning-sms = { $brand } : trop de demandes de connexion que vous n'avez pas acceptées. Si ce n'est pas vous, changez votre mot de passe.
test-sms = Message de test de { $brand }. Vous n'avez rien à faire.

voice = Ici { $brand }. Votre code est : { $code }. Je répète, votre code est : { $code }. Au revoir.
keypad = Ici { $brand }. Veuillez saisir les six chiffres affichés sur votre écran, puis appuyer sur la touche dièse.
keypad-right = Ici { $brand }. Merci, les chiffres sont corrects. Au revoir.
keypad-wrong = Ici { $brand }. Ce ne sont pas les chiffres affichés sur votre écran. Veuillez y recommencer. Au revoir.
keypad-late = Ici { $brand }. Il est trop tard pour ces chiffres. Veuillez recommencer sur votre écran. Au revoir.

email-subject = Votre code { $brand }
email-lead = Votre code { $brand } est
email-life = { $minutes ->
    [one] Il est valable une seule fois, pendant une minute.
   *[other] Il est valable une seule fois, pendant { $minutes } minutes.
}
email-caution = Si vous ne l'avez pas demandé, quelqu'un connaît peut-être votre mot de passe : changez-le, et ne donnez ce code à personne.
warning-subject = Connexions à { $brand } que vous n'avez pas acceptées
warning-lead = Quelqu'un demande sans cesse à se connecter à { $brand } en votre nom, et vous ne l'avez pas accepté. Pour l'instant, aucune autre demande n'est envoyée à votre téléphone.
warning-caution = Si ce n'était pas vous, quelqu'un connaît votre mot de passe : changez-le. N'acceptez aucune demande que vous n'avez pas faite vous-même.
test-subject = Message de test de { $brand }
test-lead = Ceci est un message de test de { $brand }. Vous n'avez rien à faire.

push = Êtes-vous en train de vous connecter à { $brand } ?
push-number = Êtes-vous en train de vous connecter à { $brand } ? Saisissez le nombre que vous y voyez.
