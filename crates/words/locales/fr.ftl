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
link-subject = Confirmez que c'est bien vous : { $brand }
link-lead = Ouvrez ce lien pour confirmer à { $brand } que c'est bien vous
link-or = Ou ouvrez ce lien et confirmez-y
link-button = Voir et confirmer
link-life = { $minutes ->
    [one] Le lien est valable une seule fois, pendant une minute.
   *[other] Le lien est valable une seule fois, pendant { $minutes } minutes.
}
link-caution = Si vous ne l'avez pas demandé, quelqu'un connaît peut-être votre mot de passe : changez-le. La page du lien vous permet de dire que ce n'était pas vous.
both-life = { $minutes ->
    [one] L'un ou l'autre est valable une seule fois, pendant une minute.
   *[other] L'un ou l'autre est valable une seule fois, pendant { $minutes } minutes.
}
both-caution = Si vous ne l'avez pas demandé, quelqu'un connaît peut-être votre mot de passe : changez-le, ne donnez ce code à personne et ne confirmez rien.
warning-subject = Connexions à { $brand } que vous n'avez pas acceptées
warning-lead = Quelqu'un demande sans cesse à se connecter à { $brand } en votre nom, et vous ne l'avez pas accepté. Pour l'instant, aucune autre demande n'est envoyée à votre téléphone.
warning-caution = Si ce n'était pas vous, quelqu'un connaît votre mot de passe : changez-le. N'acceptez aucune demande que vous n'avez pas faite vous-même.
test-subject = Message de test de { $brand }
test-lead = Ceci est un message de test de { $brand }. Vous n'avez rien à faire.

push = Êtes-vous en train de vous connecter à { $brand } ?
push-number = Êtes-vous en train de vous connecter à { $brand } ? Saisissez le nombre que vous y voyez.

# Pages. { $brand }, { $who } et d’autres noms sont affichés à part du texte qui les entoure.
page-foot = { $brand } demande un second facteur, pour que votre mot de passe seul ne suffise pas à se connecter.
page-continue = Continuer
page-minutes-ago = { $minutes ->
    [0] à l’instant ({ $clock })
    [one] il y a une minute ({ $clock })
   *[other] il y a { $minutes } minutes ({ $clock })
}
page-minutes-left = { $minutes ->
    [one] encore une minute ({ $clock })
   *[other] encore { $minutes } minutes ({ $clock })
}
page-link-title = Est-ce bien vous ?
page-link-lead-login = Quelqu’un se connecte en tant que { $who }.
page-link-lead-enrolment = Quelqu’un souhaite utiliser cette boîte aux lettres pour se connecter en tant que { $who }.
page-link-client = Service
page-link-account = Compte
page-link-from = Depuis
page-link-device = Appareil
page-link-caller = Serveur
page-link-asked = Demandé
page-link-until = À confirmer
page-link-heed = Ne confirmez que ce que vous venez de commencer vous-même.
page-link-confirm = Oui, c’est moi
page-link-deny = Non, ce n’est pas moi
page-link-confirmed = Confirmé
page-link-go-back = Vous pouvez fermer cette page et revenir là où vous avez commencé.
page-link-goes-on = Vous êtes redirigé maintenant.
page-link-disowned = Refusé
page-link-disowned-lead = La demande a été refusée et rien n’a été confirmé.
page-link-disowned-advice = Si vous n’en êtes pas à l’origine, quelqu’un connaît peut-être votre mot de passe. Changez-le.
page-link-over = Ce lien n’est plus valable
page-link-over-lead = Il a été utilisé, il a expiré, ou un plus récent l’a remplacé.
page-link-over-advice = Si vous venez de confirmer, c’est terminé : revenez là où vous avez commencé. Sinon, recommencez là-bas et utilisez le message le plus récent.
page-link-not-from-page = Cette réponse n’a pas été prise en compte
page-link-not-from-page-lead = Elle venait d’un autre site, donc rien n’a été confirmé.
page-link-not-from-page-advice = Ouvrez le lien du message lui-même et répondez sur la page qu’il affiche.
page-not-found = Il n’y a rien ici
page-not-found-lead = L’adresse est peut-être incomplète. Copiez-la en entier, ou ouvrez-la de nouveau depuis le message.
page-not-understood = Cette demande n’a pas été comprise
page-not-understood-lead = Le navigateur a envoyé quelque chose que cette page n’envoie pas. Revenez en arrière et réessayez.
page-too-many = Trop de demandes
page-too-many-lead = { $seconds ->
    [one] Veuillez réessayer dans une seconde.
   *[other] Veuillez réessayer dans { $seconds } secondes.
}
page-unavailable = Indisponible pour le moment
page-unavailable-lead = Rien n’a été modifié. Veuillez réessayer dans une minute.
page-fault = Un problème est survenu
page-fault-lead = L’erreur vient de notre côté. Veuillez réessayer ; si elle persiste, donnez le numéro ci-dessous aux responsables de ce service.
page-fault-id = Numéro de la demande
