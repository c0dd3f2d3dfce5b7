sms = { $brand }の認証コードは{ $code }です。有効期間は{ $minutes }分です。誰にも教えないでください。
warning-sms = { $brand }：承認されていないサインイン要求が多数ありました。心当たりがない場合は、パスワードを変更してください。
test-sms = { $brand }からのテストメッセージです。操作は不要です。

voice = { $brand }です。認証コードは、{ $code }です。繰り返します。認証コードは、{ $code }です。失礼いたします。
keypad = { $brand }です。画面に表示されている6桁の数字を押し、最後にシャープを押してください。
keypad-right = { $brand }です。ありがとうございます。番号が確認できました。失礼いたします。
keypad-wrong = { $brand }です。画面の番号と一致しませんでした。画面からもう一度やり直してください。失礼いたします。
keypad-late = { $brand }です。番号の受付は終了しています。画面からもう一度やり直してください。失礼いたします。

email-subject = { $brand }の認証コード
email-lead = { $brand }の認証コード
email-life = 1回限り、{ $minutes }分間有効です。
email-caution = このコードを要求した覚えがない場合は、パスワードが他人に知られている可能性があります。パスワードを変更し、このコードを誰にも教えないでください。
link-subject = { $brand }：ご本人の確認
link-lead = { $brand }にご本人であることを示すには、次のリンクを開いてください
link-or = または、次のリンクを開いて確認してください
link-button = 内容を見て確認する
link-life = リンクは1回限り、{ $minutes }分間有効です。
link-caution = 要求した覚えがない場合は、パスワードが他人に知られている可能性があります。パスワードを変更してください。リンク先のページで、ご自身ではないことを知らせることができます。
both-life = どちらか一方を1回限り、{ $minutes }分間使えます。
both-caution = 要求した覚えがない場合は、パスワードが他人に知られている可能性があります。パスワードを変更し、このコードを誰にも教えず、何も確認しないでください。
warning-subject = 承認されていない{ $brand }へのサインイン
warning-lead = 何者かがあなたの名前で{ $brand }へのサインインを繰り返し要求していますが、あなたは承認していません。当面の間、お使いの電話に要求は送信されません。
warning-caution = 心当たりがない場合は、パスワードが他人に知られています。パスワードを変更してください。ご自身で行っていない要求は承認しないでください。
test-subject = { $brand }からのテストメッセージ
test-lead = { $brand }からのテストメッセージです。操作は不要です。

push = { $brand }にサインインしていますか？
push-number = { $brand }にサインインしていますか？そこに表示されている番号を入力してください。

# ページ。{ $brand } や { $who } などの名前は、前後の文と分けて表示されます。
page-foot = パスワードだけでサインインされないように、{ $brand } は第二の要素を確認します。
page-continue = 続ける
page-minutes-ago = { $minutes ->
    [0] たった今（{ $clock }）
   *[other] { $minutes } 分前（{ $clock }）
}
page-minutes-left = あと { $minutes } 分（{ $clock }）
page-link-title = ご本人ですか？
page-link-lead-login = { $who } としてサインインしようとしています。
page-link-lead-enrolment = このメールアドレスを、{ $who } としてのサインインに使おうとしています。
page-link-client = サービス
page-link-account = アカウント
page-link-from = 接続元
page-link-device = 端末
page-link-caller = サーバー
page-link-asked = 要求された時刻
page-link-until = 確認の期限
page-link-heed = たった今ご自身で始めた操作だけを確認してください。
page-link-confirm = はい、本人です
page-link-deny = いいえ、違います
page-link-confirmed = 確認しました
page-link-go-back = このページを閉じて、元の画面に戻ってください。
page-link-goes-on = 元のページに移動します。
page-link-disowned = 拒否しました
page-link-disowned-lead = 要求を拒否しました。何も確認されていません。
page-link-disowned-advice = 心当たりがない場合は、パスワードを知られている可能性があります。変更してください。
page-link-over = このリンクは無効です
page-link-over-lead = すでに使われたか、期限が切れたか、新しいリンクに置き換えられました。
page-link-over-advice = たった今確認した場合は完了しています。元の画面に戻ってください。そうでない場合は、そこでやり直し、最新のメッセージを使ってください。
page-link-not-from-page = この回答は受け付けられませんでした
page-link-not-from-page-lead = 別のウェブサイトから送られたため、何も確認されていません。
page-link-not-from-page-advice = メッセージのリンクを直接開き、表示されたページで回答してください。
page-not-found = ここには何もありません
page-not-found-lead = アドレスが途中で切れている可能性があります。全体をコピーするか、メッセージからもう一度開いてください。
page-not-understood = 内容を理解できませんでした
page-not-understood-lead = このページが送らない内容をブラウザーが送りました。戻ってもう一度お試しください。
page-too-many = 要求が多すぎます
page-too-many-lead = { $seconds } 秒後にもう一度お試しください。
page-unavailable = 一時的にご利用いただけません
page-unavailable-lead = 何も変更されていません。一分後にもう一度お試しください。
page-fault = 問題が発生しました
page-fault-lead = こちら側の問題です。もう一度お試しください。続く場合は、下の番号をこのサービスの管理者に伝えてください。
page-fault-id = 要求の番号
