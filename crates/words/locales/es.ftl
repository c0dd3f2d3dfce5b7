sms = { $code } es su clave de { $brand }. Vale durante { $minutes } min. No la comparta con nadie.
warning-sms = { $brand }: demasiadas solicitudes de acceso sin aceptar por usted. Si no son suyas, cambie su contraseña.
test-sms = Mensaje de prueba de { $brand }. No tiene que hacer nada.

voice = Le habla { $brand }. Su código es: { $code }. Repito, su código es: { $code }. Adiós.
keypad = Le habla { $brand }. Marque las seis cifras que aparecen en su pantalla y pulse la tecla almohadilla.
keypad-right = Le habla { $brand }. Gracias, las cifras son correctas. Adiós.
keypad-wrong = Le habla { $brand }. Esas no son las cifras de su pantalla. Vuelva a empezar allí, por favor. Adiós.
keypad-late = Le habla { $brand }. Es demasiado tarde para esas cifras. Vuelva a empezar en su pantalla, por favor. Adiós.

email-subject = Su código de { $brand }
email-lead = Su código de { $brand } es
email-life = { $minutes ->
    [one] Vale una sola vez, durante un minuto.
   *[other] Vale una sola vez, durante { $minutes } minutos.
}
email-caution = Si no lo ha pedido, es posible que alguien conozca su contraseña: cámbiela y no dé este código a nadie.
warning-subject = Accesos a { $brand } que usted no aceptó
warning-lead = Alguien pide una y otra vez acceder a { $brand } en su nombre, y usted no lo aceptó. Por ahora no se envían más solicitudes a su teléfono.
warning-caution = Si no fue usted, alguien conoce su contraseña: cámbiela. No acepte ninguna solicitud que no haya hecho usted.
test-subject = Mensaje de prueba de { $brand }
test-lead = Este es un mensaje de prueba de { $brand }. No tiene que hacer nada.

push = ¿Está usted accediendo a { $brand }?
push-number = ¿Está usted accediendo a { $brand }? Escriba el número que ve allí.
