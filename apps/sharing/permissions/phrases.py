"""How the ledger tells what is done in the sharing system."""

from django.utils.translation import gettext_lazy as _

from apps.ledger import phrases

phrases.register(
    {
        "sharing.draft_request": _("起草"),
        "sharing.dispose_copy": _("清除了落地副本"),
        "sharing.mend_copy": _("核对并改正了落地副本"),
        "sharing.end_wind_down": _("结束延续服务"),
        "sharing.draft_request_from_demand": _("由数据需求起草"),
        "sharing.revise": _("修改"),
        "sharing.attach": _("上传附件"),
        "sharing.extend": _("申请延期"),
        "sharing.consent_extension": _("审批延期"),
        "sharing.route": _("安排内部流转"),
        "sharing.pass_step": _("内部审核同意"),
        "sharing.forward": _("转办"),
        "sharing.co_sign": _("请求会签"),
        "sharing.step_back": _("退回上一步"),
        "sharing.recall_step": _("撤回意见"),
        "sharing.backfill": _("补办材料"),
        "sharing.review_urgent": _("事后审查急件"),
        "sharing.preview": _("预览数据"),
        "sharing.narrow": _("收窄"),
        "sharing.notice_idle": _("提醒长期未用"),
        "sharing.note_use": _("记下恢复使用"),
        "sharing.cut_off": _("因闲置停用"),
        "sharing.ask_back": _("说明用途，请求恢复"),
        "sharing.recertify": _("开始年度复核"),
        "sharing.state_need": _("说明继续使用的理由"),
        "sharing.pass_over": _("记下逾期未说明"),
        "sharing.decide": _("年度复核"),
        "sharing.remind_recertification": _("提醒复核逾期"),
        "sharing.escalate_recertification": _("将逾期复核报主管部门"),
        "sharing.ask_usage_report": _("通知登记使用情况"),
        "sharing.remind_usage_report": _("催报使用情况"),
        "sharing.file_usage_report": _("登记使用情况"),
        "sharing.save_template": _("保存授权条款模板"),
        "sharing.read": _("读取"),
        "sharing.request_export": _("申请导出文件"),
        "sharing.finish_export": _("生成了导出文件"),
        "sharing.stop_export": _("停止了导出"),
        "sharing.fail_export": _("未能生成导出文件"),
        "sharing.discard_export": _("删除导出文件"),
        "sharing.expire_export": _("按期删除了导出文件"),
        "sharing.draw_token": _("换取访问令牌"),
        "sharing.issue_credential": _("签发凭证"),
        "sharing.revoke_credential": _("吊销凭证"),
    }
)
