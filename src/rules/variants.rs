//! Characters that are spelt several ways and mean one thing.
//!
//! Patterns and texts go through the same table, so it matters only that a
//! group is together, not which member stands for it. A group is added by
//! writing it down; a character that means two things in some language stays out.

use std::collections::HashMap;
use std::sync::LazyLock;

/// Groups of Han variants: Japanese, simplified, traditional and rare forms of one word's character.
const HAN: &str = "
靱靭 国國 辺邊邉 軍军 費费 駐驻 韓韩 協协 擔担 負负 約约 議议 談谈 判 額额 億亿 萬万 円圓圆 増增 減减 軽輕轻
経經经 済濟济 済 実實实 対對对 応應应 続續续 継繼继 総總总 統统 選選 発發发 会會会 当當当 党黨党 与與与
東东 亜亞亚 欧歐欧 華华 台臺 湾灣湾 県縣县 区區区 関關关 係系 連聯联 盟 条條条 題题 報报 読讀读 訳譯译
説說说 話话 認认 許许 証證证 評评 論论 調调 諾诺 護护 衛卫衞 隊队 陸陆 戦戰战 争爭争 撃擊击 弾彈弹 機机
艦舰 飛飞 術术 備备 装裝装 設设 営營营 銃铳 砲炮 敵敌 団團团 師师 兵 級级 務务 労勞劳 働 動动 産产 業业
財财 貨货 資资 買买 売賣卖 価價价 値值 貿贸 銀银 銭錢钱 収收収 納纳 給给 補补 償偿 賠赔 権權权 責责 義义
務 領领 総 長长 閣阁 決决 択擇择 択 請请 求 訴诉 訟讼 審审 検檢检 査查 監监 視视 覚覺觉 観觀观 規规 則则
準准 単單单 両兩两 双雙双 参參参 加 離离 変變变 換换 転轉转 運运 輸输 送 車车 輪轮 鉄鐵铁 鋼钢 電电 気氣气
電 無无 線线 網网 絡络 紅红 緑綠绿 黄黃黄 図圖图 書书 画畫画 学學学 習习 育 児兒儿 歳歲岁 帰歸归 場场 所
広廣广 島岛 沖冲 縄绳 横橫横 浜濱滨 沢澤泽 滝瀧 渋澀涩 桜櫻樱 竜龍龙 剣劍剑 釈釋释 駅驛驿 駆驅驱 験驗验
独獨独 仏佛 徳德 蘭兰 魯鲁 羅罗 馬马 頓顿 華 盛 紐纽 約 倫伦 達达 時时 間间 際际 門门 開开 閉闭 問问 聞闻
来來来 残殘残 満滿满 数數数 暫暂 億 復复 従從从 徴徵征 徹彻 様樣样 栄榮荣 楽樂乐 条 極极 構构 標标 権
歓歡欢 歩步 歴歷历 毎每 浅淺浅 湿濕湿 準 漢汉 漁渔 潜潛潜 済 為爲为 炉爐炉 点點点 焼燒烧 熱热 犠犧牺
猟獵猎 献獻献 環环 現现 瑶瑤 畳疊叠 療疗 痩瘦 盗盜盗 盤盘 県 砕碎 礎础 礼禮礼 禅禪禅 種种 称稱称 稲稻 穏穩稳
積积 窓窗 竜 節节 範范 築筑 簡简 糧粮 粛肅肃 紀纪 純纯 紙纸 細细 終终 組组 結结 絶絕绝 緊紧 総 編编 緩缓
縮缩 織织 繰 罰罚 聴聽听 職职 脅胁 脳腦脑 脱脫 臨临 興兴 舗鋪铺 艶 芸藝艺 荘莊庄 薬藥药 蔵藏 処處处 虚虛
号號号 蛍螢 蛮蠻蛮 衆众 裏裡 製制 複 見见 親亲 訂订 計计 討讨 訓训 記记 訪访 設 詳详 誌 誠诚 誤误 課课 諸诸
講讲 謝谢 警 譲讓让 豊豐丰 貢贡 販贩 貫贯 貯贮 賀贺 賃赁 賓宾 賛贊赞 質质 贈赠 跡迹 践踐践 軌轨 軟软 載载
輝辉 較较 辞辭辞 逓遞递 進进 違违 遅遲迟 遠远 適适 遷迁 郵邮 郷鄉乡 醸釀酿 録錄录 鎖锁 針针 鈴铃 錬鍊
鎮镇 閲閱阅 闘鬥斗 隠隱隐 隣鄰邻 隨随 険險险 難难 霊靈灵 静靜静 頂顶 項项 順顺 預预 頭头 頼賴赖 願愿 類类
顕顯显 風风 養养 館馆 駐 騎骑 騒騷骚 髄髓 魚鱼 鳥鸟 塩鹽盐 麗丽 麦麥麦 斉齊齐 歯齒齿 齢齡龄 亀龜龟
圏圈 圧壓压 堕墮 壊壞坏 壌壤 声聲声 壱壹 寿壽寿 奨獎奖 奥奧 孫孙 宝寶宝 専專专 将將将 尽盡尽 層层 属屬属
岡冈 峡峽峡 帯帶带 庁廳厅 廃廢废 弐貳 強强 弥彌 径徑径 徳 恵惠 悪惡恶 慎愼 憲宪 戯戲戏 戻戾 払拂 抜拔
拠據据 拡擴扩 挙擧举舉 捜搜 掲揭 揺搖摇 摂攝摄 携攜 敍叙 斎齋斋 断斷断 旧舊旧 昼晝昼 暁曉晓 曽曾 朗 棄弃
楼樓楼 検 欠缺 殴毆殴 殺杀 没沒 涙淚泪 渉涉 温溫 湧 滅灭 漸渐 澁 瀬瀨濑 爾尔 犯 状狀状 狭狹狭 獄狱 産
乱亂乱 争 仮假 伝傳传 体體体 余餘 併倂 価 侵 倹儉 偉伟 側侧 傑杰 傷伤 債债 億 倉仓 償 優优
写寫写 冊册 凍冻 劇剧 剤劑剂 剰剩 創创 労 勅敕 効效 励勵励 勝胜 勢势 勧勸劝 勲勳勋 匯汇 医醫医 呉吳吴
員员 唖啞 単 喫吃 嘆叹 嘱囑 団 囲圍围 園园 図 執执 堅坚 塁壘垒 墜坠 墳坟 塚 夢梦 婦妇 娯娛娱 嬢孃 学 審
尭堯 屆届 嶋島 巣巢 帥帅 幣币 幹 庫库 張张 弔 徑 徹 慮虑 態态 慣惯 憶忆 懇恳 懲惩 懐懷怀 懸悬 戸戶户 拝拜
振 捨舍 採采 掃扫 揮挥 損损 撤 撮 擬拟 擾扰 攻 敗败 敷 斉 施 既 暖 暦曆 曖 枢樞枢 査 棟栋 欄栏 横 樹树
橋桥 欧 歌 死 殖 気 汚污 沿 浄淨净 測测 湯汤 源 滞滯滞 漏 潔洁 潤润 濃浓 災灾 無 照 煙烟 爆 版 犬 獣獸兽
率 瓶 疎疏 癒愈 皇 益 盛 県 碍礙 確确 磯矶 秘祕 私 稚 穀 端 競竞 筆笔 箇 籍 紹绍 紛纷 統 絵繪绘 維维
綱纲 綿绵 緒绪 締缔 練练 縁緣缘 縛缚 縦縱纵 績绩 繊纖纤 羨 聖圣 聡聰聪 肖 胆膽胆 臓臟脏 臭 艇 茎莖茎
";

/// Single letters that NFD does not take apart, and spellings of one letter.
const LETTERS: &str = "oø lł dđð iı hħ tŧ её اٱ يى هة يی كک";

/// Maps each variant to the first of its group.
static TABLE: LazyLock<HashMap<char, char>> = LazyLock::new(|| {
    let mut table: HashMap<char, char> = HashMap::with_capacity(2048);
    for group in HAN.split_whitespace().chain(LETTERS.split(' ')) {
        let mut members = group.chars();
        let Some(first) = members.next() else { continue };
        // A group that shares a member with an earlier one joins it.
        let first = group.chars().find_map(|c| table.get(&c).copied()).unwrap_or(first);
        table.insert(first, first);
        for member in members.chain(group.chars().take(1)) {
            table.entry(member).or_insert(first);
        }
    }
    table
});

/// Returns the one spelling of a character.
pub(crate) fn unify(c: char) -> char {
    TABLE.get(&c).copied().unwrap_or(c)
}
