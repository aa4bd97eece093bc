"""Who may do what with requests and grants.

Two departments meet in a request: the consumer asks, the provider answers. A provider is the
department of the dataset, or one to whose group `review_requests` was delegated on it. Nobody
decides for the provider on a request of his own department. The statuses are the lifecycle's.

===================  ==========================  ==========================  ===================
action               consumer                    provider                    authority
===================  ==========================  ==========================  ===================
view                 every member                every member, once received officer, leader,
                                                                             once received
create, revise       editor                      –                           –
submit, recall       editor                      –                           –
approve_by_head,     approver                    –                           –
return_by_head
supplement           editor                      –                           –
withdraw             editor, approver            –                           –
accept_form,         –                           editor, approver            –
ask_supplement,
propose, preview,
extend
confirm              –                           editor, approver, not the   –
                                                 proposer
agree, refuse        –                           approver                    –
send_back_proposal   –                           approver; before the second –
                                                 review whoever may confirm
consent_extension    –                           –                           officer, leader
mark_urgent          –                           –                           officer, leader, not
                                                                             for his department
review_urgent        –                           –                           officer, leader, not
                                                                             who gave the order
backfill             editor, approver            –                           –
route                editor, approver            editor, approver            –
handle_step          the step's assignee         the step's assignee         –
attach               editor, approver; later     editor, approver            –
                     while they owe papers
read_reply, once     every member                every member                officer, leader
signed
weigh, while a       –                           editor, approver, and who   officer, leader
decision is ahead                                has a step in hand
grant_automatically, the platform, which asks    –                           –
deliver              nobody
-------------------  --------------------------  --------------------------  -------------------
grant: view          every member                every member                officer, leader
grant: suspend,      –                           approver                    officer, leader
narrow
grant: export        editor, approver, where it  –                           –
                     is in the way of files;
                     its system, always
export: view         every member                every member                officer, leader
export: download,    as grant: export            –                           –
discard
use: view            every member                every member                officer, leader
grant: resume        –                           approver, if he suspended   officer, leader
grant: end           approver                    approver                    officer, leader
grant: deliver,      the platform                –                           –
expire
-------------------  --------------------------  --------------------------  -------------------
idle notice: view    every member                every member                officer, leader
idle notice:         editor, approver            –                           –
ask_back
review: view         every member                every member                officer, leader
review: state_need   editor, approver            –                           –
review: decide       –                           approver                    officer, leader,
                                                                             once it is late
use report: view     every member                every member                officer, leader
use report: file     editor, approver            –                           –
template: view       the recommended one         every member                officer, leader
template: save,      –                           editor, approver            –
retire
===================  ==========================  ==========================  ===================

A review is the yearly one of a grant. The audit administrator may view whatever both sides may. A
stand-in may what his principal may.

Where a second person is needed (`queries.needs_second_review`), who confirms is not who proposed,
nor does he act in his name; who signs has neither proposed nor confirmed, nor does he act in the
name of who confirmed. So a department needs three people for it, one of them its head; a stand-in
of a head or editor is one of them. Nobody confirms who is the only one left to sign. When nobody
can confirm, head and authority are told at once and the clock goes on.

Who may `weigh` a request learns of the consumer's grants from other providers the dataset's name,
the items that can be read and the key by which they join, for he answers for what his own data adds
to them (article 25); of their number, rows, period and use he learns nothing unless he may view the
grant. The consumer is not shown what is weighed.

Source: 《政务数据共享条例》第十一条、第二十条、第二十一条; house rule (design §3.2, issue 5)
"""

from apps.sharing.gateway import permissions as gateway_permissions
from apps.sharing.permissions import grants, parties, phrases, requests, templates

__all__ = ["gateway_permissions", "grants", "parties", "phrases", "requests", "templates"]
