sms = { $code } est votre code { $brand }. Il est valable { $minutes } min. Ne le donnez à personne.
warning-sms = { $brand } : trop de demandes de connexion que vous n'avez pas acceptées. Si ce n'est pas vous, changez votre mot de passe.
invitation-sms = { $brand } : créez votre accès. Ne le partagez pas : { $link }
added-sms = { $brand } : nouveau moyen de connexion : { $device }. Pas vous ? Prévenez vite votre administrateur.
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
invitation-subject = Configurez votre connexion à { $brand }
invitation-lead = Vous êtes invité à configurer une seconde étape pour vous connecter à { $brand }. Cela prend deux minutes ; gardez votre téléphone à portée de main. Ouvrez ce lien pour commencer
invitation-button = Configurer maintenant
invitation-life-hours = Le lien est valable une seule fois, pendant { $hours } heures.
invitation-life-days = Le lien est valable une seule fois, pendant { $days } jours.
invitation-caution = Ce lien est pour vous seul : ne le transmettez à personne, pas même à ceux qui proposent leur aide. Si vous ne l'attendiez pas, demandez d'abord à votre administrateur.
added-subject = Nouveau moyen de connexion à { $brand }
added-lead = Un nouveau moyen de connexion a été ajouté à votre compte { $brand }
added-caution = Si c'était vous, il n'y a rien à faire. Sinon, quelqu'un d'autre peut se connecter à votre place : prévenez aussitôt votre administrateur et changez votre mot de passe.
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
page-enrol-title = Configurez votre seconde étape
page-enrol-lead = Votre mot de passe seul ne suffit pas pour { $brand }. Choisissez comment montrer que c’est bien vous.
page-enrol-account = Compte
page-enrol-by = Invitation de
page-enrol-until = Lien valable
page-enrol-hours-left = { $hours ->
    [one] encore une heure ({ $clock })
   *[other] encore { $hours } heures ({ $clock })
}
page-enrol-days-left = { $days ->
    [one] encore un jour ({ $clock })
   *[other] encore { $days } jours ({ $clock })
}
page-enrol-replaces = Vos appareils précédents ne fonctionneront plus dès que vous aurez terminé. D’ici là, rien ne change.
page-enrol-recommended = Recommandé
page-enrol-weaker = Moins sûr
page-enrol-totp = Application d’authentification
page-enrol-totp-text = Une application sur votre téléphone affiche un nouveau code toutes les 30 secondes, même sans réseau.
page-enrol-totp-begin = Utiliser une application
page-enrol-push = Demande sur votre téléphone
page-enrol-push-text = Votre téléphone demande si c’est bien vous, et vous répondez d’un geste. Aucun code à saisir.
page-enrol-push-begin = Recevoir des demandes
page-enrol-email = E-mail
page-enrol-email-text = Vous recevez chaque fois un code par e-mail. C’est aussi sûr que votre boîte aux lettres.
page-enrol-email-field = Adresse e-mail
page-enrol-email-begin = Recevoir un e-mail
page-enrol-sms = SMS
page-enrol-sms-text = Vous recevez chaque fois un code par SMS. C’est le moyen le moins sûr : d’autres peuvent détourner un numéro ou lire ses messages.
page-enrol-sms-field = Numéro de mobile
page-enrol-sms-hint = Avec l’indicatif du pays, par exemple +33 6 39 98 12 34.
page-enrol-sms-begin = Recevoir un SMS
page-enrol-known = Il est envoyé à { $to }.
page-enrol-lost = Si vous perdez votre téléphone, demandez un nouveau lien à votre administrateur.
page-enrol-help = Comment le joindre
page-enrol-app = Ajoutez votre compte à l’application
page-enrol-app-lead = Ouvrez votre application d’authentification, ajoutez un compte et scannez cette image.
page-enrol-app-which = Pas encore d’application ? Toutes conviennent, par exemple Google Authenticator, Microsoft Authenticator, Aegis ou un gestionnaire de mots de passe.
page-enrol-app-alt = Code QR pour votre application d’authentification. Si vous ne pouvez pas le scanner, utilisez le lien ou la clé qui suivent.
page-enrol-app-open = Ouvrir dans une application sur ce téléphone
page-enrol-app-key = Saisir une clé au lieu de scanner
page-enrol-app-issuer = Émetteur
page-enrol-app-secret = Clé
page-enrol-app-once = L’image et la clé ne s’affichent qu’une fois : gardez cette page ouverte jusqu’à la fin.
page-enrol-app-code = Code affiché par l’application
page-enrol-app-code-hint = Il change toutes les 30 secondes.
page-enrol-confirm = Confirmer
page-enrol-again = Recommencer
page-enrol-try = Saisissez le code encore une fois
page-enrol-try-lead = Le compte { $who } dans votre application reste le bon.
page-enrol-try-advice = Il n’est pas dans votre application ? Recommencez pour obtenir une nouvelle image, et supprimez ce que l’application a pour ce compte.
page-enrol-wrong = Ce code n’est pas le bon. Saisissez celui que l’application affiche maintenant.
page-enrol-wrong-sent = Ce code n’est pas le bon. Saisissez celui du message le plus récent.
page-enrol-used = Ce code a déjà servi. Attendez le suivant, 30 secondes au plus.
page-enrol-clock-fast = { $minutes ->
    [one] L’horloge de votre téléphone avance d’une minute. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
   *[other] L’horloge de votre téléphone avance de { $minutes } minutes. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
}
page-enrol-clock-slow = { $minutes ->
    [one] L’horloge de votre téléphone retarde d’une minute. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
   *[other] L’horloge de votre téléphone retarde de { $minutes } minutes. Laissez-le régler l’heure automatiquement, puis saisissez le code affiché par l’application.
}
page-enrol-locked = Trop de codes erronés
page-enrol-locked-lead = { $minutes ->
    [one] Aucun code n’est accepté pendant une minute. Ensuite, ouvrez de nouveau votre lien.
   *[other] Aucun code n’est accepté pendant { $minutes } minutes. Ensuite, ouvrez de nouveau votre lien.
}
page-enrol-locked-help = Aucun code n’est accepté pour ce compte en ce moment. Demandez à votre administrateur de le déverrouiller.
page-enrol-late = Cela a pris trop de temps
page-enrol-late-lead = Ce que vous aviez commencé a expiré et rien n’a été modifié. Recommencez : cela prend une minute.
page-enrol-pair = Connectez votre téléphone
page-enrol-pair-lead = Dirigez l’appareil photo de votre téléphone vers cette image et ouvrez la page qu’il trouve.
page-enrol-pair-alt = Code QR avec l’adresse de l’application. Si vous ne pouvez pas le scanner, utilisez le lien ou le code qui suivent.
page-enrol-pair-open = Sur ce téléphone : ouvrir l’application
page-enrol-pair-code = Ou saisissez ce code dans l’application
page-enrol-pair-until = Code valable
page-enrol-waiting = En attente de votre téléphone
page-enrol-waiting-lead = Terminez sur votre téléphone. Cette page continue toute seule.
page-enrol-sent = Saisissez le code
page-enrol-sent-sms = Nous avons envoyé un SMS au { $to }.
page-enrol-sent-email = Nous avons envoyé un e-mail à { $to }.
page-enrol-sent-code = Code reçu
page-enrol-resend = Envoyer un nouveau code
page-enrol-resend-sms = Pas encore de message ? Vérifiez le numéro ou demandez un nouveau code.
page-enrol-resend-email = Pas encore de message ? Regardez aussi dans les indésirables, ou demandez un nouveau code.
page-enrol-resend-later = { $seconds ->
    [one] Pas encore de message ? Vous pourrez demander un nouveau code dans une seconde.
   *[other] Pas encore de message ? Vous pourrez demander un nouveau code dans { $seconds } secondes.
}
page-enrol-other-number = Utiliser un autre numéro
page-enrol-other-address = Utiliser une autre adresse
page-enrol-done = Tout est prêt
page-enrol-done-totp = Désormais, après votre mot de passe, saisissez le code affiché par votre application.
page-enrol-done-push = Désormais, après votre mot de passe, répondez à la demande sur votre téléphone.
page-enrol-done-email = Désormais, après votre mot de passe, saisissez le code que nous vous envoyons par e-mail.
page-enrol-done-sms = Désormais, après votre mot de passe, saisissez le code que nous vous envoyons par SMS.
page-enrol-done-replaced = Vos appareils précédents ont été supprimés et ne fonctionnent plus.
page-enrol-done-number = Un numéro de téléphone seul est peu sûr : d’autres peuvent le détourner, et sans réseau aucun code n’arrive. Ajoutez aussi une application d’authentification.
page-enrol-done-spare = Un second moyen vous permet d’entrer si celui-ci est perdu ou en panne.
page-enrol-done-next = Ajouter un autre moyen
page-enrol-done-next-until = { $minutes ->
    [one] Vous pouvez le faire ici pendant une minute.
   *[other] Vous pouvez le faire ici pendant { $minutes } minutes.
}
page-enrol-done-close = Vous pouvez fermer cette page.
page-enrol-over-advice = Si vous venez de terminer, tout est en ordre. Sinon, demandez un nouveau lien à votre administrateur.
page-enrol-not-from-page-lead = Elle venait d’un autre site, donc rien n’a été configuré.
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
